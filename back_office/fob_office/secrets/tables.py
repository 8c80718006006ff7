"""By what a database knows its master key."""

from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class MasterKeyMark(Base):
    """One row: the fingerprint of the key that everything here is sealed under."""

    __tablename__ = "master_keys"

    fingerprint: Mapped[bytes] = mapped_column(primary_key=True)
    created: Mapped[int]

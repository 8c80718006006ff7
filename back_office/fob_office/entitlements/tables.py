"""What each person may do."""

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class Entitlement(Base):
    """Of one registration. `version` goes up with every change, and never down.

    `computers` (hexadecimal; none is any), `applications` (the level at each) and `components` as devices are told.
    """

    __tablename__ = "entitlements"
    __table_args__ = (CheckConstraint("state BETWEEN 1 AND 2", name="state"),)

    user_code: Mapped[bytes] = mapped_column(
        ForeignKey("registrations.user_code", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int]
    changed: Mapped[int]
    state: Mapped[int]
    computers: Mapped[list[str]] = mapped_column(JSON)
    applications: Mapped[dict[str, int]] = mapped_column(JSON)
    components: Mapped[list[str]] = mapped_column(JSON)

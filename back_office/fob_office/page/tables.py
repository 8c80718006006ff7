"""Who is logged in to the page."""

from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class OperatorSession(Base):
    """`digest` is H of the cookie, which is random and stands nowhere here; `token` that of the operator's token."""

    __tablename__ = "operator_sessions"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    token: Mapped[bytes]
    until: Mapped[int] = mapped_column(index=True)

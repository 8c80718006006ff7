"""Tokens of operators."""

from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class OperatorToken(Base):
    """`digest` is H of the token, which is random and stands nowhere here."""

    __tablename__ = "operator_tokens"

    name: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    may_change: Mapped[bool]
    created: Mapped[int]

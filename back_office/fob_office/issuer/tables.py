"""What the issuer has said."""

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class Issuer(Base):
    """One row: the public key that devices of this office are made with."""

    __tablename__ = "issuers"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    public_key: Mapped[bytes]


class SignedList(Base):
    """Every revocation list that was given out. Two of one number cannot be."""

    __tablename__ = "revocation_lists"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    issued: Mapped[int]
    until: Mapped[int]
    signed: Mapped[bytes]

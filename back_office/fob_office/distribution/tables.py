"""Holders, their copies, and letters by which copies become somebody's. Holders and copies are never deleted."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class Holder(Base):
    """Who signs for copies: `key` is public and raw, a device's system key or that of a PC which enrolled.

    `counter` and `request` (H of it) are those of the last copy request; of who has only enrolled 0 and None.
    """

    __tablename__ = "holders"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    key: Mapped[bytes] = mapped_column(unique=True)
    counter: Mapped[int]
    request: Mapped[bytes | None]
    added: Mapped[int]


def _one_current() -> Index:
    """A holder has one copy of a program, whoever asks at the same time."""
    where = text("is_current")
    return Index(
        "ix_copies_one_current", "holder", "program", "version",
        unique=True, sqlite_where=where, postgresql_where=where,
    )  # fmt: skip


class Copy(Base):
    """One copy. `number` is its public name, `record` a CopyRecord's octets, `version` is packed.

    `release` or `installation` is its reference value. `state` is validation.State. `identifier` (sealed) is the UI
    that the next request has to know. `program_number` and `server_number` are PSI and VSSI as they stand; `request`
    is H of the last evidence that was answered, and `answer` (sealed) what it is told again. `validated` is when it
    last had a VAL_OK. A copy that is not current has another one in its place, and no good state any more.
    """

    __tablename__ = "copies"
    __table_args__ = (
        _one_current(),
        Index("ix_copies_holder_id", "holder", "id"),
        # Lists of some of them, a page at a time.
        Index("ix_copies_program_id", "program", "id"),
        Index("ix_copies_state_id", "state", "id"),
        Index("ix_copies_program_state_id", "program", "state", "id"),
        Index("ix_copies_program_is_current_state_id", "program", "is_current", "state", "id"),
        CheckConstraint("state BETWEEN 1 AND 4", name="state"),
        CheckConstraint("(release IS NULL) <> (installation IS NULL)", name="one_reference"),
        CheckConstraint("is_current OR state <> 1", name="over"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    number: Mapped[bytes] = mapped_column(unique=True)
    holder: Mapped[int] = mapped_column(ForeignKey("holders.id"))
    program: Mapped[str]
    version: Mapped[int]
    release: Mapped[int | None] = mapped_column(ForeignKey("releases.id"))
    installation: Mapped[int | None] = mapped_column(ForeignKey("installations.id"))
    record: Mapped[bytes]
    identifier: Mapped[bytes]
    state: Mapped[int]
    created: Mapped[int]
    is_current: Mapped[bool] = mapped_column(default=True)
    # What an operator has said: another one may take its place; the holder's numbers and identifier are the right ones.
    is_reissued: Mapped[bool] = mapped_column(default=False)
    is_resynchronised: Mapped[bool] = mapped_column(default=False)
    program_number: Mapped[int] = mapped_column(default=0)
    server_number: Mapped[int] = mapped_column(default=0)
    request: Mapped[bytes | None] = mapped_column(default=None)
    answer: Mapped[bytes | None] = mapped_column(default=None)
    validated: Mapped[int | None] = mapped_column(default=None)


class Letter(Base):
    """An identifier that is on its way by another channel. `name` is the identifier's; `identifier` is sealed.

    Once it was used `copy` is whose it became, and `identifier` is erased here. Technique, embedder and variant are
    the method that the copy gets. Erased when it is over.
    """

    __tablename__ = "letters"
    __table_args__ = (
        Index("ix_letters_until", "until"),
        CheckConstraint("(release IS NULL) <> (installation IS NULL)", name="one_reference"),
        CheckConstraint("(copy IS NULL) <> (identifier IS NULL)", name="once"),
    )

    name: Mapped[bytes] = mapped_column(primary_key=True)
    program: Mapped[str]
    version: Mapped[int]
    release: Mapped[int | None] = mapped_column(ForeignKey("releases.id"))
    installation: Mapped[int | None] = mapped_column(ForeignKey("installations.id"))
    technique: Mapped[int]
    embedder: Mapped[int]
    variant: Mapped[int]
    until: Mapped[int]
    identifier: Mapped[bytes | None]
    copy: Mapped[int | None] = mapped_column(ForeignKey("copies.id"), default=None)

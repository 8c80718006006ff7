"""Sessions under way, and who has proved something wrong."""

from enum import IntEnum

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class Phase(IntEnum):
    """Of a session."""

    OPENED = 1
    PROVED = 2
    ENDED = 3


class OpenSession(Base):
    """One session; erased when its time is over.

    `question` is H of the sealed question that opened it. `shared` (DH) and `keys` (SES) are sealed, and each is erased
    with its phase. `number` was answered last: `said` is H of the body, and `answer` what it is given again, or
    `refusal`.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_until", "until"),
        CheckConstraint("phase BETWEEN 1 AND 3", name="phase"),
        CheckConstraint("phase = 1 OR shared IS NULL", name="shared_erased"),
        CheckConstraint("phase = 2 OR keys IS NULL", name="keys_erased"),
    )

    id: Mapped[bytes] = mapped_column(primary_key=True)
    server: Mapped[str]
    user_code: Mapped[bytes]
    question: Mapped[bytes] = mapped_column(unique=True)
    device_key: Mapped[bytes]
    server_key: Mapped[bytes]
    challenge: Mapped[bytes]
    opened: Mapped[int]
    until: Mapped[int]
    phase: Mapped[int]
    shared: Mapped[bytes | None]
    keys: Mapped[bytes | None] = mapped_column(default=None)
    number: Mapped[int] = mapped_column(default=0)
    said: Mapped[bytes | None] = mapped_column(default=None)
    answer: Mapped[bytes | None] = mapped_column(default=None)
    refusal: Mapped[str | None] = mapped_column(default=None)


class ProofCount(Base):
    """Wrong proofs in a row for a code, whether there is such a code or not: so that nobody can tell (R19)."""

    __tablename__ = "proof_counts"
    __table_args__ = (Index("ix_proof_counts_changed", "changed"),)

    server: Mapped[str] = mapped_column(primary_key=True)
    user_code: Mapped[bytes] = mapped_column(primary_key=True)
    wrong: Mapped[int]
    locked_until: Mapped[int]
    changed: Mapped[int]

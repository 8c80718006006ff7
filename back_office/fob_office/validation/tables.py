"""Every request that was made, and proofs of clones."""

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from fob_office.database.base import Base


class Result(StrEnum):
    """What came of a request: a ticket, a verdict, or a refusal by its code."""

    VALID = "valid"
    INVALID = "invalid"
    CLONED = "cloned"
    DISABLED = "disabled"
    OTHER_VERIFIER = "other-verifier"
    OUT_OF_SEQUENCE = "out-of-sequence"
    STALE_CHALLENGE = "stale-challenge"
    LATE = "late"
    IV_USED = "iv-used"


def _one_used() -> Index:
    """A PSI is used by one request of a copy."""
    where = text("is_used")
    return Index(
        "ix_validations_one_used", "copy", "program_number", unique=True, sqlite_where=where, postgresql_where=where
    )


class Validation(Base):
    """The usage log: one line for each VAL_REQ that its copy's holder has signed (V19, V20).

    `request` is H of what `evidence` (as it was signed) says, `result` a Result. `integrity_value` is the ICV that the
    holder told, sealed. `is_used`: the request has used its number up.
    """

    __tablename__ = "validations"
    __table_args__ = (
        _one_used(),
        UniqueConstraint("copy", "program_number", "request"),
        Index("ix_validations_copy_id", "copy", "id"),
        Index("ix_validations_copy_time", "copy", "time"),
        Index("ix_validations_time", "time"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, init=False)
    copy: Mapped[int] = mapped_column(ForeignKey("copies.id"))
    program_number: Mapped[int]
    request: Mapped[bytes]
    evidence: Mapped[bytes]
    time: Mapped[int]
    result: Mapped[str]
    integrity_value: Mapped[bytes]
    is_used: Mapped[bool]


class KeptProof(Base):
    """A clone proof, as the validation server has signed it."""

    __tablename__ = "clone_proofs"

    copy: Mapped[int] = mapped_column(ForeignKey("copies.id"), primary_key=True, autoincrement=False)
    proof: Mapped[bytes]
    time: Mapped[int]

"""Which copies are out of sequence: their holders know of answers that the office has lost (V14, V22)."""

from sqlalchemy import ColumnElement, exists, func

from fob_office.distribution.tables import Copy
from fob_office.validation.tables import Result, Validation
from fob_protocol.integrity.validation import State


def is_out_of_sequence(since: int = 0) -> ColumnElement[bool]:
    """Of a copy: it is good, was refused so since then and since its last VAL_OK, and no operator has spoken."""
    last = func.coalesce(Copy.validated, 0)
    refused = exists().where(
        Validation.copy == Copy.id, Validation.time >= last, Validation.time >= since,
        Validation.result == Result.OUT_OF_SEQUENCE,
    )  # fmt: skip
    return (Copy.state == State.VALID) & ~Copy.is_resynchronised & refused

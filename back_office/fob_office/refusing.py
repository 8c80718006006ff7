"""Saying no to a device: it is told a code, the log the clause and the reason."""

from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal


class RuleBrokenError(RefusedError):
    """`clause` is the rule (X8), `why` is for the log alone and holds no secret."""

    def __init__(self, refusal: Refusal, clause: str, why: str, retry_after: int | None = None) -> None:
        super().__init__(refusal, retry_after)
        self.clause = clause
        self.why = why

"""An earlier export that somebody kept: it shows at which place the log became another one, and how."""

from fob_log_verify.errors import UnreadableError
from fob_log_verify.findings import Finding, Outcome
from fob_log_verify.log_file import LogFile

# In place of an entry where there is none.
_NOTHING = b""


class KeptLog:
    """Walked along beside the log; two entries of each are held at a time."""

    def __init__(self, kept: LogFile, origin: str) -> None:
        """Raises UnreadableError for an export of another log."""
        if kept.origin != origin:
            why = f"it is of {kept.origin!a}, not of {origin!a}"
            raise UnreadableError("the kept log is another log", why, "fob-log-verify LOG    (without --kept)")
        self._entries = kept.entries()
        self._first: tuple[bytes, bytes] | None = None
        # The first difference.
        self.finding: Finding | None = None

    def compare(self, place: int, entry: bytes) -> None:
        """The log has this entry at the next place. Raises UnreadableError where the kept export does not go on."""
        kept = self._next()
        if self.finding is not None:
            self._explain(place, kept, entry)
        elif kept not in (_NOTHING, entry):
            self._first = kept, entry
            self.finding = Finding(place, Outcome.CHANGED, "this entry was another when the log was kept")

    def end(self, size: int) -> None:
        """The log ends with so many entries. Raises UnreadableError."""
        kept = self._next()
        if self.finding is not None:
            self._explain(size, kept, _NOTHING)
        elif kept != _NOTHING:
            self.finding = Finding(size, Outcome.CUT_OFF, "the log ends here, and had more entries when it was kept")

    def _next(self) -> bytes:
        return next(self._entries, _NOTHING)

    def _explain(self, place: int, kept: bytes, entry: bytes) -> None:
        """What the two entries at a later place say of the first difference."""
        if self.finding is None or self._first is None:
            return
        first_kept, first_entry = self._first
        if (kept, entry) == (first_entry, first_kept):
            self.finding.outcome = Outcome.SWAPPED
            self.finding.why = f"this entry and that at {place} have changed places"
        elif place != self.finding.place + 1:
            return
        elif kept == first_entry:
            self.finding.outcome, self.finding.why = Outcome.DELETED, "the entry that was here is not there"
        elif entry == first_kept:
            self.finding.outcome, self.finding.why = Outcome.PUT_BACK, "what is here was put in"

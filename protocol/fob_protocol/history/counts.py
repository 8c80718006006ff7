"""How often each key was used: along a chain the count of a key goes up by one with each of its uses."""

from fob_protocol.errors import AtSyntaxError
from fob_protocol.history.entry import Entry, Kind, Outcome
from fob_protocol.history.record import SignedRecord


class Counts:
    """What the uses so far say of the next one (docs/protocol.md, section 4.2).

    Records without details are another computer's, each perhaps a use of any key: so many may be missing in a count.
    """

    def __init__(self, *, from_the_start: bool) -> None:
        """`from_the_start`: no record has dropped, so that a key's first use is its first."""
        self._from_the_start = from_the_start
        self._hidden = 0
        # By the key's handle, which is never given again: its count, and how many hidden records there were by then.
        self._seen: dict[int, tuple[int, int]] = {}

    def fits(self, record: SignedRecord) -> bool:
        """Whether the next record counts right; its details are those that were signed."""
        entry = _entry(record)
        if entry is None:
            self._hidden += 1
            return True
        if entry.kind is not Kind.USE or entry.outcome is not Outcome.APPROVED:
            return True
        return self._fits_use(entry.key, entry.uses)

    def _fits_use(self, key: int, uses: int) -> bool:
        if uses == 0 and key not in self._seen:
            # A key of a session: not counted, from its first use to its last.
            return True
        is_known = key in self._seen or self._from_the_start
        before, hidden = self._seen.get(key, (0, 0))
        self._seen[key] = (uses, self._hidden)
        return before < uses and (not is_known or uses <= before + 1 + self._hidden - hidden)


def _entry(record: SignedRecord) -> Entry | None:
    """None where this computer reads nothing."""
    if record.details is None:
        return None
    try:
        return Entry.from_block(record.details)
    except AtSyntaxError:
        return None

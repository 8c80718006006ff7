"""How meters of a value kind begin: freshness, limits, and who can verify their tokens (M16, M21, M24, M29)."""

from typing import Annotated, Final

from msgspec import Meta

from fob_office.centre.boxes.folder import BoxFolder
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_protocol.metering.kinds import Freshness
from fob_protocol.metering.limits import KINDS_LIMIT
from fob_protocol.metering.records import Limits
from fob_protocol.metering.values import ValueKind
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Message, read

FILE: Final = "beginnings"


class Beginning(Message, frozen=True):
    """Of new meters of one value kind."""

    value_kind: ValueKind
    freshness: Freshness
    limits: Limits
    is_public: bool


class _Book(Message, tag=1, frozen=True):
    beginnings: Annotated[tuple[Beginning, ...], Meta(max_length=KINDS_LIMIT)]


# Where an operator said nothing: 1,000 for a piece, a million a day; nothing is lent to anybody without a word.
FRESHNESS: Final = Freshness.RANDOM
LIMITS: Final = Limits(piece=100_000, daily=100_000_000, credit=0, spent=0, day=0)


class Beginnings:
    """What operators said, sealed in the folder of one box."""

    def __init__(self, folder: BoxFolder) -> None:
        """Raises TamperedError."""
        self._folder = folder
        self._known: dict[str, Beginning] = {}
        if folder.has(FILE):
            self._known = {each.value_kind: each for each in read(_Book, folder.read(FILE)).beginnings}

    def of(self, value_kind: str) -> Beginning:
        """What a new meter of this kind begins with."""
        return self._known.get(value_kind) or Beginning(value_kind, FRESHNESS, LIMITS, is_public=False)

    def set(self, value_kind: str, freshness: int, limits: bytes, *, is_public: bool = False) -> None:
        """From now on. Raises BusRefusedError MALFORMED, UNAVAILABLE; TamperedError, OSError."""
        try:
            claimed = Beginning(value_kind, Freshness(freshness), read(Limits, limits), is_public)
            beginning = read(Beginning, claimed.octets())
        except (OfficeError, ValueError) as error:
            raise BusRefusedError(Word.MALFORMED, f"no meter begins so: {error}") from None
        if value_kind not in self._known and len(self._known) >= KINDS_LIMIT:
            raise BusRefusedError(Word.UNAVAILABLE, f"at most {KINDS_LIMIT} value kinds")
        known = self._known | {value_kind: beginning}
        self._folder.write(FILE, _Book(tuple(known.values())).octets())
        self._known = known

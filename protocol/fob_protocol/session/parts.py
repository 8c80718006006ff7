"""Long texts in parts (docs/protocol.md, section 3.3)."""

from dataclasses import dataclass, field

from fob_protocol.errors import RecordError
from fob_protocol.limits import PART_SIZE, TEXT_LIMIT

PARTS_LIMIT = -(-TEXT_LIMIT // PART_SIZE)
# An answer of so many parts goes out as a whole; of a longer one the PC fetches all but the first.
WHOLE_PARTS = 2


def split_text(text: bytes) -> list[bytes]:
    """The parts of a text, one when it is short. Raises ValueError over TEXT_LIMIT."""
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"a text of {len(text)} octets, the limit is {TEXT_LIMIT}")
    return [text[start : start + PART_SIZE] for start in range(0, len(text), PART_SIZE)] or [b""]


@dataclass(slots=True)
class Assembly:
    """Puts a text of `total` parts together, in any order."""

    total: int
    parts: dict[int, bytes] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.total <= PARTS_LIMIT:
            raise RecordError(f"a text of {self.total} parts, the limit is {PARTS_LIMIT}")

    def add(self, index: int, total: int, part: bytes) -> None:
        """Take one part. Raises RecordError when it does not fit the others."""
        due = PART_SIZE if index < self.total - 1 else len(part)
        if total != self.total or index >= self.total or not 0 < len(part) <= PART_SIZE or len(part) != due:
            raise RecordError("a part that does not fit its text")
        self.parts[index] = part

    def missing(self) -> list[int]:
        """The indexes that are not here yet."""
        return [index for index in range(self.total) if index not in self.parts]

    def text(self) -> bytes | None:
        """The whole text once every part is here."""
        if len(self.parts) < self.total:
            return None
        return b"".join(self.parts[index] for index in range(self.total))

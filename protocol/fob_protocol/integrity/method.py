"""How a copy is made and measured: download technique, embedder, operational variant (V6, V8)."""

from enum import IntEnum

from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Message


class Technique(IntEnum):
    """D1 to D7."""

    D1 = 1
    D2 = 2
    D3 = 3
    D4 = 4
    D5 = 5
    D6 = 6
    D7 = 7

    @property
    def is_challenged(self) -> bool:
        """D3 to D7 (V7)."""
        return self >= Technique.D3

    @property
    def has_offset(self) -> bool:
        """D5 and D7: an offset pointer."""
        return self in (Technique.D5, Technique.D7)

    @property
    def has_direction(self) -> bool:
        """D6 and D7: a direction flag."""
        return self in (Technique.D6, Technique.D7)


class Embedder(IntEnum):
    """Who makes the mark of the unique identifier."""

    DISTRIBUTOR = 1
    TOOL = 2


class Variant(IntEnum):
    """VA-1 to VA-7."""

    VA_1 = 1
    VA_2 = 2
    VA_3 = 3
    VA_4 = 4
    VA_5 = 5
    VA_6 = 6
    VA_7 = 7

    @property
    def has_offset(self) -> bool:
        """Measuring begins somewhere inside."""
        return self not in (Variant.VA_1, Variant.VA_3)

    @property
    def has_direction(self) -> bool:
        """Measuring may go towards the start."""
        return self >= Variant.VA_6

    @property
    def has_iv(self) -> bool:
        """An initialisation value is hashed."""
        return self in (Variant.VA_3, Variant.VA_4, Variant.VA_5, Variant.VA_7)

    @property
    def derives_with_iv(self) -> bool:
        """Offset and direction come of the identifier and the IV (V9)."""
        return self in (Variant.VA_5, Variant.VA_7)


_EMBEDDERS = {
    Technique.D1: Embedder.DISTRIBUTOR,
    Technique.D2: Embedder.TOOL,
    Technique.D3: Embedder.DISTRIBUTOR,
    Technique.D4: Embedder.TOOL,
}


class Method(Message, frozen=True):
    """Technique and variant are independent; D1 to D4 say who embeds, D5 to D7 leave it open."""

    technique: Technique
    embedder: Embedder
    variant: Variant

    def check(self) -> None:
        """Raises OfficeError MALFORMED when the technique has another embedder."""
        if _EMBEDDERS.get(self.technique, self.embedder) is not self.embedder:
            raise OfficeError(Fault.MALFORMED, f"{self.technique.name} is not embedded by the {self.embedder.name}")

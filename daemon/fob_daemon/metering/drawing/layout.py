"""*layout*: size and order of what is printed; a data component in JSON, or the default."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fob_daemon.metering.drawing.errors import DrawingError

# Octets of a layout as a component.
LAYOUT_LIMIT: Final = 2048
# What the letters of pictures have: Latin, Greek and Cyrillic.
PRINTABLE: Final = r"\A[ -~\u00a0-\u017f\u0388-\u038a\u038e-\u03a1\u03a3-\u03ce\u0400-\u045f]*\Z"

# Millimetres, up to a page.
_Width = Annotated[float, Meta(ge=30, le=300)]
_Height = Annotated[float, Meta(ge=12, le=300)]


class Side(StrEnum):
    """Where the Data Matrix stands."""

    LEFT = "left"
    RIGHT = "right"


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`width` and `height` in mm; `slogan`: the share of the width beside the code; an empty `title`: the class."""

    width: _Width = 90.0
    height: _Height = 32.0
    code: Side = Side.RIGHT
    slogan: Annotated[float, Meta(ge=0, le=0.7)] = 0.5
    title: Annotated[str, Meta(max_length=32, pattern=PRINTABLE)] = ""

    def within(self, width: float, height: float) -> "Layout":
        """The same for a label of so many mm, where it is larger."""
        return msgspec.structs.replace(self, width=min(self.width, width), height=min(self.height, height))


def read_layout(octets: bytes) -> Layout:
    """From a data component. Raises DrawingError."""
    if len(octets) > LAYOUT_LIMIT:
        raise DrawingError(f"a layout of {len(octets)} octets; at most {LAYOUT_LIMIT}")
    try:
        return msgspec.json.decode(octets, type=Layout)
    except msgspec.DecodeError as error:
        raise DrawingError(f"no layout: {error}") from None

"""The letters of pictures, Roboto of the package font-roboto, and how wide texts are: the same on every machine."""

import re
from functools import lru_cache
from importlib.resources import files
from typing import Final

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont

from fob_daemon.metering.drawing.layout import PRINTABLE

# Large enough that rounding to its pixels is nothing.
_MEASURED_AT: Final = 200.0
_PRINTABLE: Final = re.compile(PRINTABLE)


def font_file(*, is_bold: bool) -> str:
    """The path of a TrueType file."""
    return str(files("font_roboto").joinpath("files", "Roboto-Bold.ttf" if is_bold else "Roboto-Regular.ttf"))


@lru_cache(maxsize=64)
def font(size: float, *, is_bold: bool = False) -> FreeTypeFont:
    """In pixels."""
    return ImageFont.truetype(font_file(is_bold=is_bold), size)


def width_of(text: str, size: float, *, is_bold: bool = False) -> float:
    """In the unit of `size`."""
    return font(_MEASURED_AT, is_bold=is_bold).getlength(text) / _MEASURED_AT * size


def is_printable(text: str) -> bool:
    """Whether there is a letter for each of its characters."""
    return _PRINTABLE.search(text) is not None

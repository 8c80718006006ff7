"""Indicia in a scanned picture: every Data Matrix of a page, read or named for what is wrong with it (M26, M27).

Needs the packages of `fobd[meter]`, which are loaded for who asks.
"""

import os
import stat
import warnings
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fob_protocol.metering.codes import Code, codes_on
from fob_protocol.metering.frame import PREFIX, read_frame
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError

if TYPE_CHECKING:
    from PIL import Image

# Octets of a file, and pixels of its picture: A4 at 600 dpi has 35 million.
FILE_LIMIT: Final = 64 << 20
PIXELS_LIMIT: Final = 50_000_000
# Of one picture: more than any sheet of labels has.
CODES_LIMIT: Final = 200

_MALFORMED: Final = "the code can be read, and what it says is no indicium: no meter made it"
_FORMATS: Final = ("PNG", "JPEG")
_SCAN: Final = "scan it again as PNG or JPEG, at 300 dpi"
_SAVE: Final = "the same command with a file: PNG or JPEG, at 300 dpi"
_NO_FILES: Final = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a disk"}
_PACKAGES: Final = {"PIL": "pillow", "zxingcpp": "zxing-cpp"}


class PictureError(Exception):
    """`why` it was not read, and the `command` or advice that helps."""

    def __init__(self, why: str, command: str) -> None:
        super().__init__(why)
        self.why = why
        self.command = command


class Reading(StrEnum):
    """What a Data Matrix turned out to be."""

    INDICIUM = "indicium"
    # There is a code, and not enough of it.
    DAMAGED = "damaged"
    # It reads well and begins as ours do, and is no indicium.
    MALFORMED = "malformed"
    # Of somebody else.
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Found:
    """One code; `x` and `y` in pixels, its middle. `indicated` only of an INDICIUM; `why` of what is none."""

    reading: Reading
    x: int
    y: int
    indicated: Indicated | None = None
    why: str = ""


def picture_octets(file: Path) -> bytes:
    """What is in a file, as far as a picture may be long. Raises PictureError for what is none, OSError."""
    # Without O_NONBLOCK a pipe in the file's place would be waited for.
    with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as opened:
        mode = os.fstat(opened.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise PictureError(f"it is {_NO_FILES.get(stat.S_IFMT(mode), 'no file')}", _SAVE)
        return opened.read(FILE_LIMIT + 1)


def read_picture(octets: bytes) -> list[Found]:
    """From the top down; blocks for a second or two of a large page, so not on the loop.

    Raises PictureError for what is no picture, is too large, or where a package is missing.
    """
    _check_packages()
    codes = codes_on(_opened(octets))
    if len(codes) > CODES_LIMIT:
        why = f"{len(codes)} codes; one picture has {CODES_LIMIT} at most"
        raise PictureError(why, "scan it in parts")
    return sorted(map(_found, codes), key=lambda found: (found.y, found.x))


def _check_packages() -> None:
    for module, package in _PACKAGES.items():
        if find_spec(module) is None:
            why = f"the Python package '{package}' is not installed"
            raise PictureError(why, "pip install 'fobd[meter]'")


def _opened(octets: bytes) -> "Image.Image":
    """In grey. Its size is known, and judged, before its pixels are unpacked."""
    from PIL import Image, UnidentifiedImageError

    if len(octets) > FILE_LIMIT:
        raise PictureError(f"a file of {len(octets):,} octets; at most {FILE_LIMIT:,}", _SCAN)
    try:
        with _header(octets) as image:
            if image.width * image.height > PIXELS_LIMIT:
                why = f"{image.width} x {image.height} pixels; at most {PIXELS_LIMIT:,}"
                raise PictureError(why, _SCAN)
            return _on_white(image) if image.has_transparency_data else image.convert("L")
    except UnidentifiedImageError:
        raise PictureError("it is neither PNG nor JPEG", _SCAN) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureError(f"the file is damaged or too large ({type(error).__name__})", _SCAN) from None


def _header(octets: bytes) -> "Image.Image":
    """Not unpacked yet. Pillow warns of many pixels by Python's own lines, before their bound here is looked at."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(BytesIO(octets), formats=_FORMATS)


def _on_white(image: "Image.Image") -> "Image.Image":
    """What can be seen through is paper: a label that was cut out has black behind its transparency."""
    from PIL import Image

    seen = image.convert("LA")
    paper = Image.new("L", seen.size, 255)
    paper.paste(seen.getchannel("L"), mask=seen.getchannel("A"))
    return paper


def _found(code: Code) -> Found:
    x, y = round(code.x), round(code.y)
    if code.text is None:
        return Found(Reading.DAMAGED, x, y, why="too little of the code is left to read it")
    if not code.text.startswith(PREFIX):
        return Found(Reading.FOREIGN, x, y, why=f"it does not begin with {PREFIX}")
    try:
        return Found(Reading.INDICIUM, x, y, read_frame(code.text))
    except OfficeError:
        # What a message lacks is for programmers: it was read whole, as the code's own check sums say.
        return Found(Reading.MALFORMED, x, y, why=_MALFORMED)

"""Data Matrix codes of a picture, looked for at two scales: what one overlooks the other often finds.

Needs the packages of `fobd[meter]`, which are loaded for who asks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import zxingcpp
    from PIL import Image

# Pixels of a page up to some 150 dpi: its modules are so few pixels wide that twice as many help; else half as many do.
_SMALL: Final = 2_500_000
# Pixels from corner to corner of what may have been an indicium: 36 modules. Less of it is dirt, or a letter.
_DAMAGED_LEAST: Final = 90
# Of 255: by how much the margin of a code is lighter than the code. All around dirt there is dirt.
_MARGIN_LEAST: Final = 20
# How wide that is, beside the code.
_MARGIN: Final = 0.15


@dataclass(frozen=True, slots=True)
class Code:
    """`x` and `y` in pixels, its middle; `size` from corner to corner. `text` is None where it is damaged."""

    text: str | None
    x: float
    y: float
    size: float
    box: tuple[float, float, float, float]

    def is_at(self, other: "Code") -> bool:
        """Whether both are in one place, of the same paper."""
        return hypot(self.x - other.x, self.y - other.y) < max(self.size, other.size) / 2


def codes_on(image: "Image.Image") -> list[Code]:
    """All that are found, each once; in no order."""
    seen = [*_looked(image, 1), *_looked(image, 2 if image.width * image.height <= _SMALL else 0.5)]
    whole = _once(code for code in seen if code.text is not None)
    damaged = (code for code in seen if code.text is None and code.size >= _DAMAGED_LEAST and _has_margin(image, code))
    return _once(damaged, whole)


def _once(codes: Iterable[Code], known: Iterable[Code] = ()) -> list[Code]:
    """Behind those that are known, and without what is where one is already."""
    found = list(known)
    for code in codes:
        if not any(code.is_at(other) for other in found):
            found.append(code)
    return found


def _looked(image: "Image.Image", scale: float) -> list[Code]:
    from PIL import Image
    from zxingcpp import BarcodeFormat, BarcodeFormats, read_barcodes

    if scale != 1:
        size = max(round(image.width * scale), 1), max(round(image.height * scale), 1)
        image = image.resize(size, Image.Resampling.BICUBIC)
    # It turns, inverts and scales down by itself.
    seen = read_barcodes(image, BarcodeFormats([BarcodeFormat.DataMatrix]), return_errors=True)
    return [_code(one, scale) for one in seen]


def _code(code: "zxingcpp.Barcode", scale: float) -> Code:
    at = code.position
    corners = at.top_left, at.top_right, at.bottom_right, at.bottom_left
    xs, ys = [corner.x / scale for corner in corners], [corner.y / scale for corner in corners]
    middle = (xs[0] + xs[2]) / 2, (ys[0] + ys[2]) / 2
    size = hypot(xs[0] - xs[2], ys[0] - ys[2])
    return Code(code.text if code.valid else None, *middle, size, (min(xs), min(ys), max(xs), max(ys)))


def _has_margin(image: "Image.Image", code: Code) -> bool:
    """Whether paper is around it, or, of light on dark, ink."""
    from PIL import ImageStat

    left, top, right, bottom = code.box
    width = _MARGIN * (right - left)
    inner = ImageStat.Stat(_cut(image, left, top, right, bottom))
    outer = ImageStat.Stat(_cut(image, left - width, top - width, right + width, bottom + width))
    around = outer.count[0] - inner.count[0]
    if inner.count[0] == 0 or around <= 0:
        return True
    return abs((outer.sum[0] - inner.sum[0]) / around - inner.mean[0]) >= _MARGIN_LEAST


def _cut(image: "Image.Image", left: float, top: float, right: float, bottom: float) -> "Image.Image":
    """As far as there is paper: Pillow makes the rest black."""
    right, bottom = min(round(right), image.width), min(round(bottom), image.height)
    left, top = min(max(round(left), 0), right), min(max(round(top), 0), bottom)
    return image.crop((left, top, right, bottom))

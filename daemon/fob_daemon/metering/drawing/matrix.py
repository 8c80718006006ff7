"""*Data Matrix* ECC 200 (ISO/IEC 16022) of a frame, module by module."""

from dataclasses import dataclass

import zxingcpp
from PIL import Image


@dataclass(frozen=True, slots=True)
class Matrix:
    """`rows` from the top, each from the left; True is black. Without its quiet zone."""

    rows: tuple[tuple[bool, ...], ...]

    @property
    def size(self) -> int:
        """Modules of a side."""
        return len(self.rows)


def matrix_of(text: str) -> Matrix:
    """A square one."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    picture = Image.fromarray(code.to_image(scale=1, add_quiet_zones=False))
    pixels = picture.tobytes()
    width = picture.width
    return Matrix(tuple(tuple(pixel == 0 for pixel in pixels[at : at + width]) for at in range(0, len(pixels), width)))

"""A picture as PNG."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw

from fob_daemon.metering.drawing.letters import font
from fob_daemon.metering.drawing.matrix import Matrix
from fob_daemon.metering.drawing.picture import Picture
from fob_daemon.metering.drawing.shapes import Outline, Words

MM_PER_INCH: Final = 25.4
# Office printers; photo setters have at most the last.
DPI: Final = 300
DPI_LEAST: Final = 150
DPI_MOST: Final = 1200
# Lines and letters are drawn so much larger and made small again, which makes them smooth.
_SMOOTHING: Final = 3
_WHITE: Final = (255, 255, 255)


def png(picture: Picture, dpi: int = DPI) -> bytes:
    """A whole file. Raises ValueError for other dots per inch than DPI_LEAST to DPI_MOST."""
    check_dpi(dpi)
    return png_file(painted(picture, dpi), dpi)


def check_dpi(dpi: int) -> None:
    """Raises ValueError."""
    if not DPI_LEAST <= dpi <= DPI_MOST:
        raise ValueError(f"{dpi} dpi; {DPI_LEAST} to {DPI_MOST}")


def png_file(image: Image.Image, dpi: int) -> bytes:
    """The same octets for the same image: no time stands in it."""
    file = BytesIO()
    image.save(file, "PNG", dpi=(dpi, dpi), optimize=False)
    return file.getvalue()


def painted(picture: Picture, dpi: int) -> Image.Image:
    """In RGB."""
    scale = dpi / MM_PER_INCH
    width, height = round(picture.width * scale), round(picture.height * scale)
    large = Image.new("RGB", (width * _SMOOTHING, height * _SMOOTHING), _WHITE)
    pen = ImageDraw.Draw(large)
    for shape in picture.shapes:
        if isinstance(shape, Words):
            _write(pen, shape, scale * _SMOOTHING)
        else:
            _draw(pen, shape, scale * _SMOOTHING)
    image = large.resize((width, height), Image.Resampling.BOX)
    # Modules of whole pixels, all alike: a scanner reads nothing better.
    pixels = int(picture.code.width * scale) // picture.matrix.size
    code = code_image(picture.matrix, pixels)
    middle = picture.code.x + picture.code.width / 2, picture.code.y + picture.code.height / 2
    corner = round(middle[0] * scale - code.width / 2), round(middle[1] * scale - code.height / 2)
    image.paste(code, corner)
    return image


def code_image(matrix: Matrix, pixels: int) -> Image.Image:
    """Black and white, each module so many pixels."""
    octets = bytes(0 if is_black else 255 for row in matrix.rows for is_black in row)
    image = Image.frombytes("L", (matrix.size, matrix.size), octets)
    return image.resize((matrix.size * pixels, matrix.size * pixels), Image.Resampling.NEAREST).convert("1")


def _write(pen: ImageDraw.ImageDraw, words: Words, scale: float) -> None:
    place = words.x * scale, words.y * scale
    pen.text(place, words.text, fill=words.ink, font=font(words.size * scale, is_bold=words.is_bold), anchor="ls")


def _draw(pen: ImageDraw.ImageDraw, outline: Outline, scale: float) -> None:
    points = [(x * scale, y * scale) for x, y in outline.points]
    if outline.fill is not None and len(points) > 2:
        pen.polygon(points, fill=outline.fill)
    if outline.stroke is not None:
        thickness = max(1, round(outline.thickness * scale))
        pen.line(points, fill=outline.stroke, width=thickness, joint="curve")
        for x, y in (points[0], points[-1]):
            half = thickness / 2
            pen.ellipse((x - half, y - half, x + half, y + half), fill=outline.stroke)

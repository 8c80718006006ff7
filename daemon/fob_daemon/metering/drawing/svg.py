"""A picture as SVG."""

from xml.sax.saxutils import escape

from fob_daemon.metering.drawing.matrix import Matrix
from fob_daemon.metering.drawing.picture import Picture
from fob_daemon.metering.drawing.shapes import Colour, Outline, Shape


def svg(picture: Picture) -> str:
    """A whole file, in mm."""
    width, height = _number(picture.width), _number(picture.height)
    size = f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        _code(picture),
        *map(_shape, picture.shapes),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _code(picture: Picture) -> str:
    box, scale = picture.code, picture.code.width / picture.matrix.size
    place = f"translate({_number(box.x)} {_number(box.y)}) scale({scale:.6f})"
    return f'<path transform="{place}" shape-rendering="crispEdges" d="{_path(picture.matrix)}"/>'


def _path(matrix: Matrix) -> str:
    """All black modules as one path, so that no light shines through between them."""
    return "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix.rows) for x, is_black in enumerate(row) if is_black
    )


def _shape(shape: Shape) -> str:
    if isinstance(shape, Outline):
        return _outline(shape)
    place = f'x="{_number(shape.x)}" y="{_number(shape.y)}" font-size="{_number(shape.size)}"'
    fit = f'textLength="{_number(shape.width)}" lengthAdjust="spacingAndGlyphs"'
    weight = ' font-weight="bold"' if shape.is_bold else ""
    return (
        f'<text {place} {fit} font-family="Roboto, Helvetica, Arial, sans-serif"{weight} fill="{_colour(shape.ink)}">'
        f"{escape(shape.text)}</text>"
    )


def _outline(outline: Outline) -> str:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in outline.points)
    stroke = f'stroke="{_colour(outline.stroke)}" stroke-width="{_number(outline.thickness)}"'
    return f'<polyline points="{points}" {stroke} stroke-linecap="round" fill="{_colour(outline.fill)}"/>'


def _colour(colour: Colour | None) -> str:
    return "none" if colour is None else "#" + bytes(colour).hex()


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")

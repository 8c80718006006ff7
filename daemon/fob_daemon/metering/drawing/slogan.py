"""*slogan*: a small picture beside the indicium; a data component, a group of SVG, of which a plain part is drawn.

It is read into shapes and drawn from these: no script, link or file of a component gets into what is printed.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from fob_daemon.metering.drawing.errors import DrawingError
from fob_daemon.metering.drawing.letters import is_printable, width_of
from fob_daemon.metering.drawing.paths import FARTHEST, outlines_of
from fob_daemon.metering.drawing.shapes import Box, Colour, Outline, Point, Shape, Words, box_around

# Octets of the component, and what is in it.
SLOGAN_LIMIT: Final = 16_384
ELEMENTS_LIMIT: Final = 200
DEPTH_LIMIT: Final = 8
TEXT_LIMIT: Final = 64

_SVG: Final = "http://www.w3.org/2000/svg"
# What is handed down from a group; the rest of an element is its own.
_STYLE: Final = frozenset({"fill", "stroke", "stroke-width", "font-size", "text-anchor"})
# What every font and pen here does its own way.
_LEFT_OUT: Final = frozenset({"font-family", "font-weight", "stroke-linecap", "stroke-linejoin", "viewBox", "role"})
_OWN: Final = {
    "svg": frozenset[str](),
    "g": frozenset[str](),
    "path": frozenset({"d"}),
    "circle": frozenset({"cx", "cy", "r"}),
    "rect": frozenset({"x", "y", "width", "height"}),
    "line": frozenset({"x1", "y1", "x2", "y2"}),
    "text": frozenset({"x", "y"}),
}
_COLOURS: Final[dict[str, Colour]] = {"black": (0, 0, 0), "white": (255, 255, 255)}
_CIRCLE_POINTS: Final = 48
# Of a slogan, in its own unit; less is not told from nothing, and cannot be made as large as a label.
_LEAST: Final = 0.001
# Of the larger side of a slogan: letters that are smaller come to no pixel on a label.
_TEXT_LEAST: Final = 1 / 1000

_Style: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Slogan:
    """In a unit of its own."""

    shapes: tuple[Shape, ...]

    def inside(self, box: Box) -> list[Shape]:
        """As large as the box holds, in its middle."""
        around = box_around([shape.box for shape in self.shapes])
        scale = min(box.width / around.width, box.height / around.height)
        x = box.x + (box.width - around.width * scale) / 2 - around.x * scale
        y = box.y + (box.height - around.height * scale) / 2 - around.y * scale
        return [shape.placed(scale, x, y) for shape in self.shapes]


def read_slogan(octets: bytes) -> Slogan:
    """From a data component: elements of SVG, or a whole `svg`. Raises DrawingError for any that is not drawn here."""
    if len(octets) > SLOGAN_LIMIT:
        raise DrawingError(f"a slogan of {len(octets)} octets; at most {SLOGAN_LIMIT}")
    try:
        root = fromstring(b'<svg xmlns="%s">%s</svg>' % (_SVG.encode(), octets), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise DrawingError(f"no slogan: {error}") from None
    elements = [0]
    shapes = tuple(_shapes(root, {}, DEPTH_LIMIT, elements))
    around = box_around([shape.box for shape in shapes]) if shapes else None
    if around is None or min(around.width, around.height) < _LEAST:
        raise DrawingError("a slogan with nothing to see")
    if any(_is_tiny(shape, max(around.width, around.height)) for shape in shapes):
        raise DrawingError("a slogan's text is too small to be seen")
    return Slogan(shapes)


def _is_tiny(shape: Shape, side: float) -> bool:
    """Some letters have no width at any size."""
    return isinstance(shape, Words) and (shape.size < side * _TEXT_LEAST or shape.width <= 0)


def _shapes(element: Element, style: _Style, depth: int, elements: list[int]) -> Iterator[Shape]:
    elements[0] += 1
    if depth == 0 or elements[0] > ELEMENTS_LIMIT:
        raise DrawingError(f"a slogan of more than {ELEMENTS_LIMIT} elements, or {DEPTH_LIMIT} levels")
    kind = element.tag.removeprefix(f"{{{_SVG}}}")
    _check(kind, element)
    style = {**style, **{name: value for name, value in element.attrib.items() if name in _STYLE}}
    yield from _own_shapes(kind, element, style)
    for child in element:
        yield from _shapes(child, style, depth - 1, elements)


def _check(kind: str, element: Element) -> None:
    if kind not in _OWN:
        raise DrawingError(f"a slogan with <{kind}>; those that are drawn: {' '.join(_OWN)}")
    unknown = element.attrib.keys() - _OWN[kind] - _STYLE - _LEFT_OUT
    if unknown:
        raise DrawingError(f"a slogan's <{kind}> with {min(unknown)}, which is not drawn")


def _own_shapes(kind: str, element: Element, style: _Style) -> Iterator[Shape]:
    match kind:
        case "text":
            yield _words(element, style)
        case "path":
            yield from (_outline(points, style) for points in outlines_of(element.get("d", "")))
        case "circle" | "rect" | "line":
            yield _outline(_POINTS[kind](element.attrib), style)


def _circle(given: _Style) -> tuple[Point, ...]:
    x, y, radius = (_number(given, name) for name in ("cx", "cy", "r"))
    turns = (2 * math.pi * step / _CIRCLE_POINTS for step in range(_CIRCLE_POINTS + 1))
    return tuple((x + radius * math.cos(turn), y + radius * math.sin(turn)) for turn in turns)


def _rectangle(given: _Style) -> tuple[Point, ...]:
    x, y, width, height = (_number(given, name) for name in ("x", "y", "width", "height"))
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)


def _line(given: _Style) -> tuple[Point, ...]:
    x1, y1, x2, y2 = (_number(given, name) for name in ("x1", "y1", "x2", "y2"))
    return (x1, y1), (x2, y2)


_POINTS: Final = {"circle": _circle, "rect": _rectangle, "line": _line}


def _words(element: Element, style: _Style) -> Words:
    text = " ".join((element.text or "").split())
    if not 1 <= len(text) <= TEXT_LIMIT or not is_printable(text):
        raise DrawingError(f"a slogan's text is 1 to {TEXT_LIMIT} letters, Latin, Greek or Cyrillic")
    size = _number(style, "font-size", 16.0)
    if size <= 0:
        raise DrawingError("a slogan's font-size is more than 0")
    width = width_of(text, size)
    left = {"start": 0.0, "middle": width / 2, "end": width}.get(style.get("text-anchor", "start"), 0.0)
    ink = _colour(style.get("fill", "black")) or (0, 0, 0)
    return Words(text, _number(element.attrib, "x") - left, _number(element.attrib, "y"), size, width, ink)


def _outline(points: tuple[Point, ...], style: _Style) -> Outline:
    stroke = _colour(style.get("stroke", "none"))
    thickness = _number(style, "stroke-width", 1.0)
    if thickness < 0:
        raise DrawingError("a slogan's stroke-width is 0 or more")
    return Outline(points, stroke, thickness, _colour(style.get("fill", "black")))


def _number(given: _Style, name: str, default: float = 0.0) -> float:
    try:
        number = float(given.get(name, default))
    except ValueError:
        raise DrawingError(f"a slogan's {name} is no number") from None
    if not abs(number) <= FARTHEST:
        raise DrawingError(f"a slogan's {name} leaves the picture")
    return number


def _colour(word: str) -> Colour | None:
    """None for `none`."""
    if word == "none":
        return None
    digits = word.removeprefix("#") if word.startswith("#") else ""
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    if word in _COLOURS:
        return _COLOURS[word]
    try:
        red, green, blue = bytes.fromhex(digits)
    except ValueError:
        raise DrawingError(f"a slogan's colour {word!a}; those that are drawn: #rgb, #rrggbb, black, white") from None
    return red, green, blue

"""SVG path data (SVG 2, section 9.3) as points: lines and curves, no arcs."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from fob_daemon.metering.drawing.errors import DrawingError
from fob_daemon.metering.drawing.shapes import Point

# Straight pieces of a curve: finer than print at the size of a slogan.
_STEPS: Final = 12
# Points of one path.
POINTS_LIMIT: Final = 4096
# Farther out is no picture.
FARTHEST: Final = 10_000.0
# Numbers of each command.
_COUNTS: Final = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "Z": 0}
_TOKEN: Final = re.compile(r"[\s,]*([A-Za-z]|[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}))", re.ASCII)


def outlines_of(data: str) -> list[tuple[Point, ...]]:
    """The points of each part of a path. Raises DrawingError."""
    pen = _Pen()
    for command, numbers in _commands(data):
        pen.draw(command, numbers)
    return [tuple(part) for part in pen.parts if len(part) > 1]


class _Pen:
    def __init__(self) -> None:
        self.parts: list[list[Point]] = []
        self._at: Point = (0.0, 0.0)
        # The control point before, mirrored by `S`.
        self._control: Point | None = None
        self._count = 0

    def draw(self, command: str, numbers: list[float]) -> None:
        """One command with its numbers; small letters count from where the pen is."""
        kind = command.upper()
        if not self.parts and kind != "M":
            raise DrawingError("a path begins with M")
        points = self._points(kind, numbers, self._at if command.islower() else (0.0, 0.0))
        control: Point | None = None
        match kind:
            case "M":
                self.parts.append([])
                self._add(points[0])
            case "Z":
                self._add(self.parts[-1][0])
            case "C" | "S" | "Q":
                control = self._curve(kind, points)
            case _:
                self._add(points[0])
        self._control = control

    def _points(self, kind: str, numbers: list[float], origin: Point) -> list[Point]:
        if kind == "H":
            return [(origin[0] + numbers[0], self._at[1])]
        if kind == "V":
            return [(self._at[0], origin[1] + numbers[0])]
        return [(origin[0] + x, origin[1] + y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]

    def _curve(self, kind: str, points: list[Point]) -> Point:
        begin = self._at
        if kind == "S":
            mirrored = self._control or begin
            points = [(2 * begin[0] - mirrored[0], 2 * begin[1] - mirrored[1]), *points]
        for step in range(1, _STEPS + 1):
            self._add(_bezier([begin, *points], step / _STEPS))
        return points[-2]

    def _add(self, point: Point) -> None:
        self._count += 1
        if self._count > POINTS_LIMIT or max(map(abs, point)) > FARTHEST:
            raise DrawingError("a path of a slogan is too long, or leaves the picture")
        self.parts[-1].append(point)
        self._at = point


def _bezier(points: list[Point], at: float) -> Point:
    """By de Casteljau's way, of any degree."""
    while len(points) > 1:
        points = [
            (one[0] + (other[0] - one[0]) * at, one[1] + (other[1] - one[1]) * at) for one, other in pairwise(points)
        ]
    return points[0]


def _commands(data: str) -> Iterator[tuple[str, list[float]]]:
    """Each command as often as it has numbers; what follows the first `M` without a letter is `L`."""
    tokens = _tokens(data)
    at = 0
    while at < len(tokens):
        command = tokens[at]
        count = _COUNTS.get(command.upper())
        if count is None:
            raise DrawingError(f"a path of a slogan with {command!a}; those that are drawn: {' '.join(_COUNTS)}")
        at += 1
        while True:
            numbers = tokens[at : at + count]
            if len(numbers) < count or any(number.isalpha() for number in numbers):
                raise DrawingError(f"a path's {command} needs {count} numbers")
            yield command, list(map(float, numbers))
            at += count
            if count == 0 or at >= len(tokens) or tokens[at].isalpha():
                break
            command = {"M": "L", "m": "l"}.get(command, command)


def _tokens(data: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    data = data.strip()
    while at < len(data):
        found = _TOKEN.match(data, at)
        if found is None:
            raise DrawingError(f"a path of a slogan with {data[at : at + 8]!a}")
        tokens.append(found[1])
        at = found.end()
    return tokens

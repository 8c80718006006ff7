"""What a picture is made of, in millimetres from the upper left; each kind of file has its own way to draw them."""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

Colour: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[float, float]

INK: Final[Colour] = (17, 17, 17)
# Of a text, in its size: how far it goes above and below the line that it stands on.
ASCENT: Final = 0.93
DESCENT: Final = 0.25


@dataclass(frozen=True, slots=True)
class Box:
    """A place of its own."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Words:
    """A text whose line begins at (x, y), exactly so wide whatever the font."""

    text: str
    x: float
    y: float
    size: float
    width: float
    ink: Colour = INK
    is_bold: bool = False

    @property
    def box(self) -> Box:
        """What it covers."""
        return Box(self.x, self.y - ASCENT * self.size, self.width, (ASCENT + DESCENT) * self.size)

    def placed(self, scale: float, x: float, y: float) -> "Words":
        """Scaled about the origin, then moved."""
        return replace(
            self, x=self.x * scale + x, y=self.y * scale + y, size=self.size * scale, width=self.width * scale
        )


@dataclass(frozen=True, slots=True)
class Outline:
    """A line through points, drawn with `stroke` so many mm thick, or filled; None: not that."""

    points: tuple[Point, ...]
    stroke: Colour | None
    thickness: float
    fill: Colour | None

    @property
    def box(self) -> Box:
        """What it covers."""
        half = self.thickness / 2 if self.stroke is not None else 0.0
        left, right = min(x for x, _ in self.points) - half, max(x for x, _ in self.points) + half
        top, bottom = min(y for _, y in self.points) - half, max(y for _, y in self.points) + half
        return Box(left, top, right - left, bottom - top)

    def placed(self, scale: float, x: float, y: float) -> "Outline":
        """Scaled about the origin, then moved."""
        points = tuple((across * scale + x, down * scale + y) for across, down in self.points)
        return replace(self, points=points, thickness=self.thickness * scale)


Shape: TypeAlias = Words | Outline


def box_around(boxes: list[Box]) -> Box:
    """The least that holds them all; at least one."""
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)

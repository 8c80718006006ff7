"""Label sheets that shops have: how many labels stand where, in mm."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sheet:
    """`label`: one label's width and height; `first`: the upper left one's corner; `pitch`: from label to label;
    `inset`: what stays white at a label's edges, because the printer or the cut comes close."""

    title: str
    page: tuple[float, float]
    columns: int
    rows: int
    label: tuple[float, float]
    first: tuple[float, float] = (0.0, 0.0)
    pitch: tuple[float, float] = (0.0, 0.0)
    inset: tuple[float, float] = (0.0, 0.0)

    @property
    def count(self) -> int:
        """Labels of a page."""
        return self.columns * self.rows

    @property
    def room(self) -> tuple[float, float]:
        """Width and height that an indicium has."""
        return self.label[0] - 2 * self.inset[0], self.label[1] - 2 * self.inset[1]

    def corner(self, number: int) -> tuple[float, float]:
        """Where the room of a label begins; 0 is upper left, and they go on to the right."""
        row, column = divmod(number, self.columns)
        x = self.first[0] + column * self.pitch[0] + self.inset[0]
        return x, self.first[1] + row * self.pitch[1] + self.inset[1]


_A4: Final = (210.0, 297.0)
_LETTER: Final = (215.9, 279.4)

SHEETS: Final = {
    "one": Sheet("one label 90 x 32 mm", (90.0, 32.0), 1, 1, (90.0, 32.0)),
    "roll-62x29": Sheet("label roll 62 x 29 mm", (62.0, 29.0), 1, 1, (62.0, 29.0)),
    "roll-89x36": Sheet("label roll 89 x 36 mm", (89.0, 36.0), 1, 1, (89.0, 36.0)),
    "a4-3x8": Sheet("A4, 24 labels 70 x 37 mm", _A4, 3, 8, (70.0, 37.0), (0.0, 0.5), (70.0, 37.0), (4.5, 4.0)),
    "a4-3x7": Sheet("A4, 21 labels 63.5 x 38.1 mm", _A4, 3, 7, (63.5, 38.1), (7.25, 15.15), (66.0, 38.1), (1.0, 1.0)),
    "a4-2x7": Sheet("A4, 14 labels 99.1 x 38.1 mm", _A4, 2, 7, (99.1, 38.1), (4.65, 15.15), (101.6, 38.1), (1.0, 1.0)),
    "letter-3x10": Sheet(
        "Letter, 30 labels 66.7 x 25.4 mm", _LETTER, 3, 10, (66.675, 25.4), (4.7625, 12.7), (69.85, 25.4), (1.0, 0.5)
    ),
    "letter-2x5": Sheet(
        "Letter, 10 labels 101.6 x 50.8 mm", _LETTER, 2, 5, (101.6, 50.8), (3.97, 12.7), (106.3625, 50.8), (1.0, 1.0)
    ),
}

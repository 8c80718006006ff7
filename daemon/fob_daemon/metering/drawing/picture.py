"""*picture*: where everything of one indicium stands. Boxes first, so that nothing is ever drawn over another."""

from dataclasses import dataclass
from typing import Final

from fob_daemon.metering.drawing.errors import DrawingError
from fob_daemon.metering.drawing.layout import Layout, Side
from fob_daemon.metering.drawing.letters import width_of
from fob_daemon.metering.drawing.matrix import Matrix, matrix_of
from fob_daemon.metering.drawing.shapes import ASCENT, DESCENT, Box, Shape, Words
from fob_daemon.metering.drawing.slogan import Slogan
from fob_protocol.metering.amounts import amount_words, is_money
from fob_protocol.metering.frame import frame_text
from fob_protocol.metering.indicium import Indicium, day_of
from fob_protocol.metering.values import Indicated
from fob_protocol.office.message import read

# All in mm.
MARGIN: Final = 1.5
GAP: Final = 2.5
# Modules of white around the code (ISO/IEC 16022).
QUIET: Final = 1
# Of a module: what a scanner of 150 dpi still tells apart, and what is large enough.
MODULE_LEAST: Final = 0.3
MODULE_MOST: Final = 0.6
TEXT_LEAST: Final = 20.0
SLOGAN_LEAST: Final = 12.0
# How high rows of text are beside one another; the amount is read first.
_WEIGHTS: Final = {"title": 1.0, "amount": 2.2, "date": 1.0, "places": 1.0, "serial": 1.0, "number": 1.0}
# Of its row's height: nothing of a letter leaves its row.
_TEXT_SIZE: Final = 0.84
# What stands large and bold.
_BOLD: Final = "amount"


@dataclass(frozen=True, slots=True)
class Picture:
    """`boxes` by what stands in them; `code` is the box without its quiet zone; `shapes` is all else."""

    width: float
    height: float
    matrix: Matrix
    code: Box
    shapes: tuple[Shape, ...]
    boxes: dict[str, Box]


def picture_of(indicated: Indicated, layout: Layout, slogan: Slogan | None) -> Picture:
    """The slogan is on postage alone.

    Raises DrawingError where the layout has no room, OfficeError for what is no indicium.
    """
    indicium = read(Indicium, indicated.indicium)
    if not is_money(indicium.value_kind):
        slogan = None
    matrix = matrix_of(frame_text(indicated))
    boxes = arranged(layout, matrix.size, has_slogan=slogan is not None)
    texts = {**texts_of(indicium), **({"title": layout.title} if layout.title else {})}
    shapes: list[Shape] = [_fitted(texts[name], boxes[name], is_bold=name == _BOLD) for name in _WEIGHTS]
    if slogan is not None and "slogan" in boxes:
        shapes += slogan.inside(boxes["slogan"])
    whole = boxes["code"]
    quiet = whole.width * QUIET / (matrix.size + 2 * QUIET)
    code = Box(whole.x + quiet, whole.y + quiet, whole.width - 2 * quiet, whole.height - 2 * quiet)
    return Picture(layout.width, layout.height, matrix, code, tuple(shapes), boxes)


def texts_of(indicium: Indicium) -> dict[str, str]:
    """What people read of an indicium."""
    return {
        "title": indicium.mail_class,
        "amount": amount_words(indicium.value_kind, indicium.amount),
        "date": day_of(indicium.date).isoformat(),
        "places": f"from {indicium.origin} to {indicium.destination}",
        "serial": indicium.serial,
        "number": f"no. {indicium.counter}/{indicium.piece + 1}",
    }


def arranged(layout: Layout, modules: int, *, has_slogan: bool) -> dict[str, Box]:
    """The boxes of code, rows of text and, where there is room, slogan. Raises DrawingError."""
    inside = layout.height - 2 * MARGIN
    side = min(inside, (modules + 2 * QUIET) * MODULE_MOST)
    if side < (modules + 2 * QUIET) * MODULE_LEAST:
        needed = (modules + 2 * QUIET) * MODULE_LEAST + 2 * MARGIN
        raise DrawingError(f"a layout {layout.height:g} mm high is too low for this code; it needs {needed:.1f} mm")
    rest = layout.width - 2 * MARGIN - side - GAP
    if rest < TEXT_LEAST:
        needed = layout.width + TEXT_LEAST - rest
        raise DrawingError(f"a layout {layout.width:g} mm wide is too narrow for this code; it needs {needed:.1f} mm")
    share = rest * layout.slogan if has_slogan else 0.0
    share = share if share >= SLOGAN_LEAST and rest - share - GAP >= TEXT_LEAST else 0.0
    text_width = rest - share - (GAP if share else 0.0)

    top = (layout.height - side) / 2
    is_right = layout.code is Side.RIGHT
    code_x = layout.width - MARGIN - side if is_right else MARGIN
    text_x = code_x - GAP - text_width if is_right else code_x + side + GAP
    boxes = {"code": Box(code_x, top, side, side)}
    if share:
        boxes["slogan"] = Box(MARGIN if is_right else layout.width - MARGIN - share, MARGIN, share, inside)
    return boxes | _rows(Box(text_x, top, text_width, side))


def _rows(column: Box) -> dict[str, Box]:
    unit = column.height / sum(_WEIGHTS.values())
    y = column.y
    rows: dict[str, Box] = {}
    for name, weight in _WEIGHTS.items():
        rows[name] = Box(column.x, y, column.width, unit * weight)
        y += unit * weight
    return rows


def _fitted(text: str, row: Box, *, is_bold: bool) -> Words:
    size = row.height * _TEXT_SIZE
    width = width_of(text, size, is_bold=is_bold)
    if width > row.width:
        size, width = size * row.width / width, row.width
    baseline = row.y + row.height / 2 + (ASCENT - DESCENT) / 2 * size
    return Words(text, row.x, baseline, size, width, is_bold=is_bold)

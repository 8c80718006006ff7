"""Pictures on the pages of a PDF."""

from datetime import UTC, date, datetime, time
from typing import Final

from fpdf import FPDF
from fpdf.prefs import ViewerPreferences

from fob_daemon.metering.drawing.letters import font_file
from fob_daemon.metering.drawing.picture import Picture
from fob_daemon.metering.drawing.png import code_image
from fob_daemon.metering.drawing.shapes import Outline, Words

_POINTS_PER_MM: Final = 72 / 25.4
# Programs that show a page smooth small images; this many pixels leave a module's edge sharp.
_MODULE_PIXELS: Final = 8
_FONT: Final = "Roboto"
_BOLD: Final = "B"


class Document:
    """Pages of one size, in mm."""

    def __init__(self, page: tuple[float, float], day: date) -> None:
        orientation = "portrait" if page[0] <= page[1] else "landscape"
        self._pdf = FPDF(orientation, "mm", (min(page), max(page)))
        self._pdf.set_creation_date(datetime.combine(day, time(), UTC))
        self._pdf.set_title("Indicia")
        self._pdf.set_auto_page_break(False)
        self._pdf.set_margin(0)
        # Printers need no letters of their own.
        self._pdf.add_font(_FONT, "", font_file(is_bold=False))
        self._pdf.add_font(_FONT, _BOLD, font_file(is_bold=True))
        # Printed as large as it is: a viewer's "fit to page" would move labels.
        self._pdf.viewer_preferences = ViewerPreferences(print_scaling="None")

    @property
    def is_empty(self) -> bool:
        """Whether no page was begun."""
        return self._pdf.page == 0

    def begin_page(self) -> None:
        """What follows stands on it."""
        self._pdf.add_page()

    def draw(self, picture: Picture, x: float, y: float) -> None:
        """With its upper left corner there."""
        box = picture.code
        self._pdf.image(code_image(picture.matrix, _MODULE_PIXELS), box.x + x, box.y + y, box.width, box.height)
        for shape in picture.shapes:
            if isinstance(shape, Words):
                self._write(shape.placed(1, x, y))
            else:
                self._draw(shape.placed(1, x, y))

    def octets(self) -> bytes:
        """The whole file; the same for the same pictures."""
        return bytes(self._pdf.output())

    def _write(self, words: Words) -> None:
        pdf = self._pdf
        pdf.set_font(_FONT, _BOLD if words.is_bold else "", words.size * _POINTS_PER_MM)
        pdf.set_text_color(*words.ink)
        pdf.set_stretching(100)
        pdf.set_stretching(100 * words.width / pdf.get_string_width(words.text))
        pdf.text(words.x, words.y, words.text)

    def _draw(self, outline: Outline) -> None:
        pdf = self._pdf
        if outline.fill is not None:
            pdf.set_fill_color(*outline.fill)
        if outline.stroke is not None:
            pdf.set_draw_color(*outline.stroke)
            pdf.set_line_width(outline.thickness)
        style = ("D" if outline.stroke is not None else "") + ("F" if outline.fill is not None else "")
        if style:
            pdf.polyline(list(outline.points), style=style)

"""A batch on label sheets: pages for a printer, as one PDF or as a PNG each."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from PIL import Image

from fob_daemon.metering.drawing.layout import Layout
from fob_daemon.metering.drawing.pdf import Document
from fob_daemon.metering.drawing.picture import Picture, picture_of
from fob_daemon.metering.drawing.png import DPI, MM_PER_INCH, check_dpi, painted, png_file
from fob_daemon.metering.drawing.sheets import Sheet
from fob_daemon.metering.drawing.slogan import Slogan
from fob_protocol.metering.indicium import Indicium, day_of
from fob_protocol.metering.values import Indicated
from fob_protocol.office.message import read

# Of one document, which is made in memory.
LABELS_LIMIT: Final = 10_000

# Told how many labels are done.
Progress: TypeAlias = Callable[[int], None]


def pdf_labels(
    batch: Sequence[Indicated],
    sheet: Sheet,
    layout: Layout,
    slogan: Slogan | None,
    *,
    skip: int = 0,
    progress: Progress = lambda done: None,
) -> bytes:
    """One document; its date is that of the first indicium. `skip`: labels of the first page that are gone already.

    Raises DrawingError, OfficeError, ValueError for an empty or too large batch and for a `skip` of a page or more.
    """
    _check(batch, sheet, skip)
    document = Document(sheet.page, day_of(read(Indicium, batch[0].indicium).date))
    for place, picture in _placed(batch, sheet, layout, slogan, skip, progress):
        if place == 0 or document.is_empty:
            document.begin_page()
        document.draw(picture, *sheet.corner(place))
    return document.octets()


def png_labels(
    batch: Sequence[Indicated],
    sheet: Sheet,
    layout: Layout,
    slogan: Slogan | None,
    *,
    skip: int = 0,
    dpi: int = DPI,
    progress: Progress = lambda done: None,
) -> Iterator[bytes]:
    """A file for each page, as `pdf_labels`. Raises ValueError for a `dpi` that `png` refuses."""
    _check(batch, sheet, skip)
    check_dpi(dpi)
    page: Image.Image | None = None
    for place, picture in _placed(batch, sheet, layout, slogan, skip, progress):
        if place == 0 and page is not None:
            yield png_file(page, dpi)
            page = None
        page = page or Image.new("RGB", (_pixels(sheet.page[0], dpi), _pixels(sheet.page[1], dpi)), "white")
        x, y = sheet.corner(place)
        page.paste(painted(picture, dpi), (_pixels(x, dpi), _pixels(y, dpi)))
    if page is not None:
        yield png_file(page, dpi)


def _check(batch: Sequence[Indicated], sheet: Sheet, skip: int) -> None:
    if not 1 <= len(batch) <= LABELS_LIMIT:
        raise ValueError(f"{len(batch)} labels; 1 to {LABELS_LIMIT} are printed at once")
    if not 0 <= skip < sheet.count:
        raise ValueError(f"{skip} labels of the first page are gone; it has {sheet.count}")


def _placed(
    batch: Sequence[Indicated], sheet: Sheet, layout: Layout, slogan: Slogan | None, skip: int, progress: Progress
) -> Iterator[tuple[int, Picture]]:
    """Each label's place on its page, and its picture."""
    fitted = layout.within(*sheet.room)
    for done, indicated in enumerate(batch):
        yield (skip + done) % sheet.count, picture_of(indicated, fitted, slogan)
        progress(done + 1)


def _pixels(mm: float, dpi: int) -> int:
    return round(mm * dpi / MM_PER_INCH)

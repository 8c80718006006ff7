"""Where labels go: a folder with a picture for each, or pages in one PDF. Looked at before anything is paid."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from fob_daemon.cli.context import Fob
from fob_daemon.cli.metering.asking import told
from fob_daemon.cli.metering.words import Report, some
from fob_daemon.cli.progress import Progress
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.files import write_durably
from fob_daemon.metering.drawing.needed import check_packages
from fob_daemon.metering.drawing.sheets import SHEETS
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

if TYPE_CHECKING:
    from fob_daemon.metering.drawing.layout import Layout
    from fob_daemon.metering.drawing.slogan import Slogan

Command = TypeVar("Command", bound=Callable[..., Any])

_DPI: Final = (150, 1200)
# Modules of the least code; one with a signature needs more, which is only known when it is there.
_MODULES: Final = 40
_AGAIN: Final = "fob meter print LAST"


@dataclass(frozen=True, slots=True)
class Label:
    """An indicium with its number on the meter."""

    counter: int
    piece: int
    indicated: Indicated
    indicium: Indicium

    @property
    def name(self) -> str:
        """Of a file."""
        return f"{self.indicium.serial}-{self.counter:06}-{self.piece + 1:02}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person said."""

    folder: Path | None
    kind: str
    dpi: int
    pdf: Path | None
    sheet: str
    skip: int

    @property
    def is_any(self) -> bool:
        """Something is to be drawn."""
        return self.folder is not None or self.pdf is not None


def drawing_options(command: Command) -> Command:
    """Those of all commands that draw."""
    for option in reversed(
        (
            click.option("--output", metavar="FOLDER", help="A picture of each label into FOLDER."),
            click.option("--format", "kind", type=click.Choice(("svg", "png")), default="svg", show_default=True),
            click.option("--dpi", type=click.IntRange(*_DPI), default=300, show_default=True, help="Of PNG."),
            click.option("--pdf", metavar="FILE", help="All labels on pages, for a printer."),
            click.option(
                "--sheet", type=click.Choice(tuple(SHEETS)), default="a4-3x8", show_default=True, help="With --pdf."
            ),
            click.option(
                "--skip", type=click.IntRange(0), default=0, help="Labels of the first sheet that are gone already."
            ),
        )
    ):
        command = option(command)
    return command


def wanted(output: str | None, kind: str, dpi: int, pdf: str | None, sheet: str, skip: int) -> Wanted:
    """Raises click.UsageError."""
    if skip and pdf is None:
        raise click.UsageError("--skip is for --pdf")
    if skip >= SHEETS[sheet].count:
        raise click.UsageError(f"--skip: a sheet {sheet} has {SHEETS[sheet].count} labels")
    return Wanted(Path(output) if output else None, kind, dpi, Path(pdf) if pdf else None, sheet, skip)


class Drawer:
    """Everything that drawing needs is there: nothing is paid before that is known."""

    def __init__(self, fob: Fob, device: Report, asked: Wanted) -> None:
        """Raises ControlError."""
        self._fob = fob
        self._asked = asked
        self._layout: Layout | None = None
        self._slogan: Slogan | None = None
        if asked.is_any:
            check_packages()
            self._prepare(told(fob, device, "appearance"))

    def draw(self, labels: Sequence[Label]) -> list[str]:
        """The file of each label. Raises ControlError."""
        if not self._asked.is_any:
            return [""] * len(labels)
        try:
            with Progress(self._fob.output, "Drawing labels", len(labels)) as progress:
                files = self._draw_all(labels, progress)
        except OSError as error:
            why = f"{error.filename or self._asked.pdf}: {error.strerror or error}"
            raise _not_drawn(f"{_kept(labels)}; {why}") from None
        except (ValueError, OfficeError) as error:
            raise _not_drawn(f"{_kept(labels)}; {error}") from None
        return files

    def _prepare(self, appearance: Report) -> None:
        from fob_daemon.metering.drawing.errors import DrawingError
        from fob_daemon.metering.drawing.layout import Layout, read_layout
        from fob_daemon.metering.drawing.picture import arranged
        from fob_daemon.metering.drawing.slogan import read_slogan

        asked = self._asked
        try:
            layout, slogan = appearance["layout"], appearance["slogan"]
            self._layout = read_layout(bytes.fromhex(layout)) if layout is not None else Layout()
            self._slogan = read_slogan(bytes.fromhex(slogan)) if slogan is not None else None
            on = self._layout.within(*SHEETS[asked.sheet].room) if asked.pdf else self._layout
            arranged(on, _MODULES, has_slogan=self._slogan is not None)
            if asked.folder is not None:
                asked.folder.mkdir(parents=True, exist_ok=True)
            if asked.pdf is not None and not asked.pdf.parent.is_dir():
                raise _cannot_draw(f"there is no folder {asked.pdf.parent}")
        except DrawingError as error:
            raise _cannot_draw(str(error)) from None
        except OSError as error:
            raise _cannot_draw(f"{error.filename}: {error.strerror or error}") from None

    def _draw_all(self, labels: Sequence[Label], progress: Progress) -> list[str]:
        from fob_daemon.metering.drawing.errors import DrawingError

        try:
            files = [""] * len(labels)
            if self._asked.pdf is not None:
                self._draw_pages(labels, progress, self._asked.pdf)
                files = [str(self._asked.pdf)] * len(labels)
            if self._asked.folder is not None:
                files = [self._draw_one(label, self._asked.folder) for label in _counted(labels, progress)]
        except DrawingError as error:
            raise ValueError(str(error)) from None
        return files

    def _draw_pages(self, labels: Sequence[Label], progress: Progress, file: Path) -> None:
        from fob_daemon.metering.drawing.labels import pdf_labels

        batch = [label.indicated for label in labels]
        sheet, layout = SHEETS[self._asked.sheet], self._layout
        assert layout is not None  # noqa: S101 - prepared
        pages = pdf_labels(batch, sheet, layout, self._slogan, skip=self._asked.skip, progress=progress.show)
        write_durably(file, pages)

    def _draw_one(self, label: Label, folder: Path) -> str:
        from fob_daemon.metering.drawing.picture import picture_of
        from fob_daemon.metering.drawing.png import png
        from fob_daemon.metering.drawing.svg import svg

        assert self._layout is not None  # noqa: S101 - prepared
        picture = picture_of(label.indicated, self._layout, self._slogan)
        content = png(picture, self._asked.dpi) if self._asked.kind == "png" else svg(picture).encode()
        file = folder / f"{label.name}.{self._asked.kind}"
        write_durably(file, content)
        return str(file)


def labels_of(fob: Fob, device: Report, counters: Sequence[int]) -> list[Label]:
    """What is kept of these transactions, or fetched. Raises ControlError."""
    found: list[Label] = []
    with Progress(fob.output, "Reading what was franked", len(counters)) as progress:
        for done, counter in enumerate(counters):
            indicia = told(fob, device, "franked", str(counter))["indicia"]
            found += [_label(counter, number, one) for number, one in enumerate(indicia)]
            progress.show(done + 1)
    return found


def _counted(labels: Sequence[Label], progress: Progress) -> Iterator[Label]:
    for done, label in enumerate(labels):
        yield label
        progress.show(done + 1)


def _label(counter: int, number: int, one: Report) -> Label:
    indicated = Indicated(bytes.fromhex(one["indicium"]), bytes.fromhex(one["token"]))
    try:
        return Label(counter, number, indicated, read(Indicium, indicated.indicium))
    except OfficeError as error:
        raise ControlError(
            "the indicia were not read", f"number {counter}/{number + 1}: {error.why}", "fob doctor"
        ) from None


def _kept(labels: Sequence[Label]) -> str:
    return some(len(labels), "is paid and kept", "are paid and kept")


def _cannot_draw(why: str) -> ControlError:
    """Before anything was done."""
    return ControlError("no label can be drawn", why, "the same command with another --output or --sheet")


def _not_drawn(why: str) -> ControlError:
    return ControlError("the labels were not drawn", why, f"{_AGAIN} with another --output or --pdf", ExitCode.FAILED)

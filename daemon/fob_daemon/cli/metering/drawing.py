"""Where labels go: a folder with a picture for each, or pages for a printer. Looked at before anything is paid."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from fob_daemon.cli.context import Fob
from fob_daemon.cli.metering.asking import told
from fob_daemon.cli.metering.labels import Label
from fob_daemon.cli.metering.words import Report, some
from fob_daemon.cli.out_files import check_file, check_folder, write_file
from fob_daemon.cli.progress import Progress
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.metering.drawing.needed import check_packages
from fob_daemon.metering.drawing.sheets import SHEETS
from fob_protocol.office.errors import OfficeError

if TYPE_CHECKING:
    from fob_daemon.metering.drawing.layout import Layout
    from fob_daemon.metering.drawing.slogan import Slogan

Command = TypeVar("Command", bound=Callable[..., Any])

_DPI: Final = (150, 1200)
# Modules of the least code; one with a signature needs more, which is only known when it is there.
_MODULES: Final = 40
PRINT_LAST: Final = "fob meter print LAST"
DRAW_LAST: Final = f"{PRINT_LAST} --output FOLDER, --pdf FILE or --pages FOLDER"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person said."""

    folder: Path | None
    kind: str
    dpi: int
    pdf: Path | None
    pages: Path | None
    sheet: str
    skip: int

    @property
    def is_any(self) -> bool:
        """Something is to be drawn."""
        return self.folder is not None or self.has_sheets

    @property
    def has_sheets(self) -> bool:
        """Labels side by side."""
        return self.pdf is not None or self.pages is not None


def drawing_options(command: Command) -> Command:
    """Those of all commands that draw."""
    for option in reversed(
        (
            click.option("--output", metavar="FOLDER", help="A picture of each label into FOLDER."),
            click.option("--format", "kind", type=click.Choice(("svg", "png")), default="svg", show_default=True),
            click.option("--dpi", type=click.IntRange(*_DPI), default=300, show_default=True, help="Of PNG."),
            click.option("--pdf", metavar="FILE", help="All labels on pages, for a printer."),
            click.option("--pages", metavar="FOLDER", help="The same pages, as a PNG each into FOLDER."),
            click.option(
                "--sheet",
                type=click.Choice(tuple(SHEETS)),
                default="a4-3x8",
                show_default=True,
                help="With --pdf and --pages.",
            ),
            click.option(
                "--skip", type=click.IntRange(0), default=0, help="Labels of the first sheet that are gone already."
            ),
        )
    ):
        command = option(command)
    return command


def wanted(
    output: str | None, kind: str, dpi: int, pdf: str | None, pages: str | None, sheet: str, skip: int
) -> Wanted:
    """Raises click.UsageError."""
    if skip and pdf is None and pages is None:
        raise click.UsageError("--skip is for --pdf and --pages")
    if skip >= SHEETS[sheet].count:
        raise click.UsageError(f"--skip: a sheet {sheet} has {SHEETS[sheet].count} labels")
    return Wanted(_path(output), kind, dpi, _path(pdf), _path(pages), sheet, skip)


def _path(name: str | None) -> Path | None:
    return Path(name) if name else None


@dataclass(frozen=True, slots=True)
class _Style:
    """How all of them look, as the device has it."""

    layout: "Layout"
    slogan: "Slogan | None"


class Drawer:
    """Everything that drawing needs is there: nothing is paid before that is known."""

    def __init__(self, fob: Fob, device: Report, asked: Wanted) -> None:
        """Raises ControlError."""
        self._fob = fob
        self._asked = asked
        self._style: _Style | None = None
        if asked.is_any:
            check_packages()
            self._style = self._prepared(told(fob, device, "appearance"))

    @property
    def draws(self) -> bool:
        """Something is to be drawn."""
        return self._style is not None

    def draw(self, labels: Sequence[Label]) -> list[str]:
        """The file of each label. Raises ControlError."""
        if self._style is None:
            return [""] * len(labels)
        try:
            with Progress(self._fob.output, "Drawing labels", len(labels)) as progress:
                files = self._draw_all(labels, self._style, progress)
        except OSError as error:
            why = f"{error.filename}: {error.strerror or error}"
            raise _not_drawn(f"{_kept(labels)}; {why}") from None
        except (ValueError, OfficeError) as error:
            raise _not_drawn(f"{_kept(labels)}; {error}") from None
        return files

    def _prepared(self, appearance: Report) -> _Style:
        from fob_daemon.metering.drawing.errors import DrawingError
        from fob_daemon.metering.drawing.layout import Layout, read_layout
        from fob_daemon.metering.drawing.picture import arranged
        from fob_daemon.metering.drawing.slogan import read_slogan

        asked = self._asked
        try:
            layout, slogan = appearance["layout"], appearance["slogan"]
            style = _Style(
                read_layout(bytes.fromhex(layout)) if layout is not None else Layout(),
                read_slogan(bytes.fromhex(slogan)) if slogan is not None else None,
            )
            on = style.layout.within(*SHEETS[asked.sheet].room) if asked.has_sheets else style.layout
            arranged(on, _MODULES, has_slogan=style.slogan is not None)
            for folder in (asked.folder, asked.pages):
                if folder is not None:
                    folder.mkdir(parents=True, exist_ok=True)
                    check_folder(folder)
            if asked.pdf is not None:
                check_file(asked.pdf)
        except DrawingError as error:
            raise _cannot_draw(str(error)) from None
        except OSError as error:
            raise _cannot_draw(f"{error.filename}: {error.strerror or error}") from None
        return style

    def _draw_all(self, labels: Sequence[Label], style: _Style, progress: Progress) -> list[str]:
        from fob_daemon.metering.drawing.errors import DrawingError

        try:
            files = [""] * len(labels)
            if self._asked.pages is not None:
                files = self._draw_pages(labels, style, progress, self._asked.pages)
            if self._asked.pdf is not None:
                self._draw_document(labels, style, progress, self._asked.pdf)
                files = [str(self._asked.pdf)] * len(labels)
            if self._asked.folder is not None:
                files = [self._draw_one(label, style, self._asked.folder) for label in _counted(labels, progress)]
        except DrawingError as error:
            raise ValueError(str(error)) from None
        return files

    def _draw_document(self, labels: Sequence[Label], style: _Style, progress: Progress, file: Path) -> None:
        from fob_daemon.metering.drawing.labels import pdf_labels

        sheet, skip = SHEETS[self._asked.sheet], self._asked.skip
        batch = [label.indicated for label in labels]
        write_file(file, pdf_labels(batch, sheet, style.layout, style.slogan, skip=skip, progress=progress.show))

    def _draw_pages(self, labels: Sequence[Label], style: _Style, progress: Progress, folder: Path) -> list[str]:
        """The file of each label."""
        from fob_daemon.metering.drawing.labels import png_labels

        sheet, skip = SHEETS[self._asked.sheet], self._asked.skip
        batch = [label.indicated for label in labels]
        pages = png_labels(
            batch, sheet, style.layout, style.slogan, skip=skip, dpi=self._asked.dpi, progress=progress.show
        )
        files = []
        for number, page in enumerate(pages, 1):
            files.append(folder / f"{labels[0].name}-page-{number:03}.png")
            write_file(files[-1], page)
        return [str(files[(skip + place) // sheet.count]) for place in range(len(labels))]

    def _draw_one(self, label: Label, style: _Style, folder: Path) -> str:
        from fob_daemon.metering.drawing.picture import picture_of
        from fob_daemon.metering.drawing.png import png
        from fob_daemon.metering.drawing.svg import svg

        picture = picture_of(label.indicated, style.layout, style.slogan)
        content = png(picture, self._asked.dpi) if self._asked.kind == "png" else svg(picture).encode()
        file = folder / f"{label.name}.{self._asked.kind}"
        write_file(file, content)
        return str(file)


@contextmanager
def telling_when_cut(what: str, next_command: str) -> Iterator[None]:
    """Around reading and drawing: Ctrl-C says `what` is kept, and how it is drawn. Raises ControlError."""
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        why = f"by Ctrl-C; {what} and kept"
        raise ControlError("the labels were not drawn", why, next_command, ExitCode.INTERRUPTED) from None


def _counted(labels: Sequence[Label], progress: Progress) -> Iterator[Label]:
    for done, label in enumerate(labels):
        yield label
        progress.show(done + 1)


def _kept(labels: Sequence[Label]) -> str:
    return some(len(labels), "is paid and kept", "are paid and kept")


def _cannot_draw(why: str) -> ControlError:
    """Before anything was done."""
    return ControlError("no label can be drawn", why, "the same command with another --output, --pdf or --sheet")


def _not_drawn(why: str) -> ControlError:
    return ControlError(
        "the labels were not drawn", why, f"{PRINT_LAST} with another --output, --pdf or --pages", ExitCode.FAILED
    )

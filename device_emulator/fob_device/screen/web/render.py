"""Pages out of templates. Everything that is put into one is escaped."""

from dataclasses import dataclass

import jinja2

from fob_device.screen.web.bench_taps import DIRECTIONS
from fob_device.screen.web.views.bench import BenchView
from fob_device.screen.web.views.sheets import SheetView
from fob_device.screen.web.views.status import Status
from fob_device.screen.web.words import countdown


@dataclass(frozen=True, slots=True)
class Back:
    """The way up from a page that lies under another."""

    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Page:
    """What all pages have. `path`: its own, below the token; `may_reload`: it asks for nothing that is typed.

    `others`: in words, what waits behind the sheet.
    """

    template: str
    title: str
    view: object
    path: str = ""
    tab: str = "home"
    back: Back | None = None
    notice: str = ""
    may_reload: bool = True
    sheet: SheetView | None = None
    others: str = ""


class Renderer:
    """Renders the templates of this package; `base` is the path of everything."""

    def __init__(self, base: str) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.PackageLoader("fob_device.screen.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(base=base, directions=DIRECTIONS, countdown=countdown)

    def page(self, page: Page, status: Status, bench: BenchView | None = None) -> str:
        """A whole page; `bench`: the workbench beside the phone, when there is one."""
        template = self._environment.get_template(page.template)
        return template.render(page=page, view=page.view, status=status, bench=bench)

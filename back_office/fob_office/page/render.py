"""Pages out of templates. Everything that is put into one is escaped."""

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Final

import jinja2
from starlette.responses import HTMLResponse, Response

from fob_office.page.door import BASE
from fob_office.page.sessions import Visitor
from fob_office.page.words import ago, date_words, number_words, short, time_words

# What a form did, as the address of the next page says it.
NOTICES: Final = {
    "acknowledged": "Acknowledged.",
    "disabled": "Disabled: its next request is refused.",
    "enabled": "Enabled: it goes on as it was.",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What all pages have. `now` is the office's; without a visitor there is nothing to go to."""

    template: str
    title: str
    view: object
    now: int
    visitor: Visitor | None = None
    notice: str = ""
    status: HTTPStatus = HTTPStatus.OK


def response(page: Page) -> Response:
    """A whole page."""
    rendered = _environment().get_template(page.template).render(page=page, view=page.view, visitor=page.visitor)
    return HTMLResponse(rendered, page.status)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fob_office.page"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    environment.globals.update(base=BASE)
    environment.filters.update(time=time_words, ago=ago, date=date_words, number=number_words, short=short)
    return environment

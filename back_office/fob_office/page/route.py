"""What holds for every address of the page: who may come in, its headers, and errors that are pages too."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fob_office.errors import OperatorError
from fob_office.page.door import BASE, HEADERS, refuse
from fob_office.page.forms import FormError
from fob_office.page.render import Page, response

# As FastAPI has it.
Handler = Callable[[Request], Coroutine[Any, Any, Response]]

NOT_HERE: Final = "Nothing stands at this address."


class NotLoggedInError(Exception):
    """It is asked for a token first."""


class NotAllowedError(Exception):
    """Somebody is logged in, and may not do this. The text says why."""


class PageRoute(APIRoute):
    """A route of the page."""

    def get_route_handler(self) -> Handler:
        """Called by FastAPI."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            why = refuse(request)
            told = _message(HTTPStatus.FORBIDDEN, why) if why is not None else await _told(handle, request)
            told.headers.update(HEADERS)
            return told

        return answer


def see_other(path: str) -> Response:
    """Look at another address, below the page's own."""
    return RedirectResponse(f"{BASE}{path}", HTTPStatus.SEE_OTHER)


async def _told(handle: Handler, request: Request) -> Response:
    try:
        return await handle(request)
    except NotLoggedInError:
        return see_other("/login")
    except NotAllowedError as error:
        return _message(HTTPStatus.FORBIDDEN, str(error))
    except FormError as error:
        return _message(HTTPStatus.BAD_REQUEST, str(error))
    except OperatorError as error:
        return _message(HTTPStatus(error.status), f"{error.what}: {error.why}")
    except RequestValidationError:
        return _message(HTTPStatus.NOT_FOUND, NOT_HERE)
    except HTTPException as error:
        return _message(HTTPStatus(error.status_code), error.detail)


def _message(status: HTTPStatus, words: str) -> Response:
    return response(Page("message.html", status.phrase, words, 0, status=status))

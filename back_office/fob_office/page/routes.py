"""The addresses of the page. Nothing changes by looking; what changes is a form that only this session's pages have."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib import resources
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from fob_office.distribution.operating import disable, enable
from fob_office.distribution.views import StateWord
from fob_office.http.problems import LaterError, ProblemError
from fob_office.office import Office
from fob_office.page.centre import centre_page
from fob_office.page.copies import copy_page
from fob_office.page.door import BASE, cookie_name
from fob_office.page.findings import findings_page
from fob_office.page.forms import read_form
from fob_office.page.guesses import Guesses
from fob_office.page.overview import overview
from fob_office.page.programs import program_page
from fob_office.page.render import NOTICES, Page, response
from fob_office.page.route import NOT_HERE, NotAllowedError, NotLoggedInError, PageRoute, see_other
from fob_office.page.sessions import Visitor, log_in, log_out, visitor_of
from fob_office.validation.proofs import proof_of
from fob_office.watching.findings import acknowledge
from fob_office.words import Hex16, Name

After = Annotated[int, Query(ge=0, le=(1 << 53) - 1)]
Number = Annotated[Hex16, Path()]
Fields = Annotated[Mapping[str, str], Depends(read_form)]
Done = Annotated[str, Query()]
See = Callable[[Request], Visitor]

_STATIC: Final = resources.files("fob_office.page") / "static"
_TYPES: Final = {"page.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
_CHANGES: Final = {"disable": (disable, "disabled"), "enable": (enable, "enabled")}


def page_routes(office: Office) -> APIRouter:
    """All of them; they stand in no description for programs."""
    router = APIRouter(prefix=BASE, route_class=PageRoute, include_in_schema=False)
    see = _seeing(office)
    _add_login(router, office)
    _add_pages(router, office, see)
    _add_changes(router, office, see)
    _add_files(router)
    return router


def _seeing(office: Office) -> See:
    """Who asks."""

    def see(request: Request) -> Visitor:
        """Raises NotLoggedInError."""
        cookie = request.cookies.get(cookie_name(request))
        visitor = visitor_of(office, cookie) if cookie is not None else None
        if visitor is None:
            raise NotLoggedInError
        return visitor

    return see


def _checked(visitor: Visitor, fields: Mapping[str, str]) -> None:
    """Raises NotAllowedError: another page's form, or a token that may only read."""
    if not visitor.has_sent(fields.get("form", "")):
        raise NotAllowedError("This form is of another session. Go back, and load the page again.")
    if not visitor.may_change:
        raise NotAllowedError("This token may read, and change nothing.")


def _add_login(router: APIRouter, office: Office) -> None:
    guesses = Guesses(office)

    def form(status: HTTPStatus, words: str) -> Response:
        return response(Page("login.html", "Log in", words, office.now(), status=status))

    @router.get("/login")
    def show_login() -> Response:
        return form(HTTPStatus.OK, "")

    @router.post("/login")
    def login(request: Request, fields: Fields) -> Response:
        try:
            guesses.take(request)
        except LaterError as error:
            later = form(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong tokens came from this address. Wait a minute.")
            later.headers.update(error.headers or {})
            return later
        cookie = log_in(office, fields.get("token", "").strip())
        if cookie is None:
            return form(HTTPStatus.FORBIDDEN, "That is no token of this office, or it is revoked.")
        guesses.give_back(request)
        moved = see_other("")
        has_tls = request.url.scheme == "https"
        moved.set_cookie(cookie_name(request), cookie, path="/", secure=has_tls, httponly=True, samesite="strict")
        return moved

    @router.post("/logout")
    def logout(request: Request, fields: Fields, visitor: Annotated[Visitor, Depends(_seeing(office))]) -> Response:
        if not visitor.has_sent(fields.get("form", "")):
            raise NotAllowedError("This form is of another session. Go back, and load the page again.")
        log_out(office, request.cookies[cookie_name(request)])
        moved = see_other("/login")
        has_tls = request.url.scheme == "https"
        moved.delete_cookie(cookie_name(request), path="/", secure=has_tls, httponly=True, samesite="strict")
        return moved


def _add_pages(router: APIRouter, office: Office, see: See) -> None:
    @router.get("")
    def show_overview(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        with office.database.read() as session:
            return response(Page("overview.html", "Overview", overview(session, office), office.now(), visitor))

    @router.get("/findings")
    def show_findings(
        visitor: Annotated[Visitor, Depends(see)], seen: Annotated[bool, Query()] = False, after: After = 0,
        done: Done = "",
    ) -> Response:  # fmt: skip
        with office.database.read() as session:
            view = findings_page(session, after, is_open=not seen)
        return response(Page("findings.html", "Findings", view, office.now(), visitor, NOTICES.get(done, "")))

    @router.get("/centre")
    def show_centre(visitor: Annotated[Visitor, Depends(see)]) -> Response:
        return response(Page("centre.html", "Data centre", centre_page(office), office.now(), visitor))

    @router.get("/programs/{program}")
    def show_program(
        visitor: Annotated[Visitor, Depends(see)], program: Annotated[Name, Path()],
        state: Annotated[StateWord | Literal["replaced"] | None, Query()] = None, after: After = 0,
    ) -> Response:  # fmt: skip
        with office.database.read() as session:
            view = program_page(session, program, state, after, office.now())
        return response(Page("program.html", view.title, view, office.now(), visitor))

    @router.get("/copies")
    def find_copy(visitor: Annotated[Visitor, Depends(see)], number: Annotated[Hex16, Query()]) -> Response:
        return see_other(f"/copies/{number}")

    @router.get("/copies/{number}")
    def show_copy(visitor: Annotated[Visitor, Depends(see)], number: Number, done: Done = "") -> Response:
        with office.database.read() as session:
            view = copy_page(session, office, bytes.fromhex(number))
        title = f"Copy of {view.copy.program}"
        return response(Page("copy.html", title, view, office.now(), visitor, NOTICES.get(done, "")))

    @router.get("/copies/{number}/proof")
    def load_proof(visitor: Annotated[Visitor, Depends(see)], number: Number) -> Response:
        with office.database.read() as session:
            proof = proof_of(session, bytes.fromhex(number))
        headers = {"Content-Disposition": f'attachment; filename="clone-{number}.cose"'}
        return Response(proof, headers=headers, media_type="application/cose")


def _add_changes(router: APIRouter, office: Office, see: See) -> None:
    @router.post("/findings/{number}/acknowledge")
    def acknowledge_one(
        visitor: Annotated[Visitor, Depends(see)], fields: Fields,
        number: Annotated[int, Path(ge=1, le=(1 << 53) - 1)],
    ) -> Response:  # fmt: skip
        _checked(visitor, fields)
        acknowledge(office, number, visitor.name)
        return see_other("/findings?done=acknowledged")

    @router.post("/copies/{number}/{change}")
    def change_copy(
        visitor: Annotated[Visitor, Depends(see)], fields: Fields, number: Number,
        change: Annotated[str, Path(pattern=f"^({'|'.join(_CHANGES)})$")],
    ) -> Response:  # fmt: skip
        _checked(visitor, fields)
        do, done = _CHANGES[change]
        do(office, bytes.fromhex(number), visitor.name)
        return see_other(f"/copies/{number}?done={done}")


def _add_files(router: APIRouter) -> None:
    files = {name: (_STATIC / name).read_bytes() for name in _TYPES}

    @router.get("/static/{name}")
    def load_file(name: Annotated[str, Path(pattern=f"^({'|'.join(_TYPES)})$")]) -> Response:
        return Response(files[name], media_type=_TYPES[name])

    @router.get("/{rest:path}")
    def show_nothing(rest: str) -> Response:
        raise ProblemError(HTTPStatus.NOT_FOUND, NOT_HERE)

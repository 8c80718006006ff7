"""Copies over HTTP, for operators."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request

from fob_office.components.versions import parse
from fob_office.distribution.letters import make_letter
from fob_office.distribution.operating import (
    Which,
    copies_after,
    copy_of,
    disable,
    enable,
    reissue,
    resynchronise,
)
from fob_office.distribution.views import (
    CopyDetails,
    CopyView,
    LetterRequest,
    LetterView,
    StateWord,
    copy_details,
    copy_views,
)
from fob_office.http.parameters import AfterId, PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.words import Hex16, Hex32, Name
from fob_protocol.integrity.method import Technique
from fob_protocol.integrity.validation import State

Number = Annotated[Hex16, Path(description="Of the copy.")]
PREFIX: Final = "/copies"
_OUT_OF_SEQUENCE: Final = "Only those that were refused as out of sequence since that time, and had no VAL_OK since."

_CHANGES: Final[dict[str, tuple[str, Callable[[Office, bytes, str], None]]]] = {
    "disable": ("Refuse its next request", disable),
    "enable": ("Let a disabled one go on", enable),
    "reissue": ("Give the holder of a flagged one another one when it asks next", reissue),
    "resynchronise": ("Believe its holder's next request where it stands", resynchronise),
}


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    return _reading(office), _changing(office), _letters(office)


def _reading(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get("", summary="Copies, oldest first", operation_id="list_copies")
    def list_copies(
        program: Annotated[Name | None, Query()] = None,
        state: Annotated[StateWord | None, Query()] = None,
        holder: Annotated[Hex32 | None, Query(description="Public key.")] = None,
        out_of_sequence: Annotated[int | None, Query(ge=0, le=(1 << 53) - 1, description=_OUT_OF_SEQUENCE)] = None,
        after: AfterId = 0,
        count: PageSize = PAGE,
    ) -> list[CopyView]:
        chosen = replace(which(program, state, holder), out_of_sequence=out_of_sequence)
        with office.database.read() as session:
            return copy_views(session, copies_after(session, after, chosen, count))

    @router.get("/{number}", summary="One of them", operation_id="get_copy", responses=documented(404))
    def get_copy(number: Number) -> CopyDetails:
        with office.database.read() as session:
            return copy_details(session, copy_of(session, bytes.fromhex(number)))

    return router


def which(program: str | None, state: str | None, holder: str | None) -> Which:
    """Out of the words that operators use."""
    return Which(program, State[state.upper()] if state else None, bytes.fromhex(holder) if holder else None)


def _changing(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=documented(404, 409))
    for name, (summary, change) in _CHANGES.items():
        router.add_api_route(
            f"/{{number}}/{name}", _endpoint(office, change),
            methods=["POST"], summary=summary, operation_id=f"{name}_copy",
        )  # fmt: skip
    return router


def _endpoint(office: Office, change: Callable[[Office, bytes, str], None]) -> Callable[..., CopyDetails]:
    def changed(request: Request, number: Number) -> CopyDetails:
        change(office, bytes.fromhex(number), request.state.operator)
        with office.database.read() as session:
            return copy_details(session, copy_of(session, bytes.fromhex(number)))

    return changed


def _letters(office: Office) -> APIRouter:
    router = APIRouter(prefix="/letters", responses=documented(404, 409))

    @router.post("", status_code=201, summary="An identifier to be typed in", operation_id="make_letter")
    def make(request: Request, new: LetterRequest) -> LetterView:
        technique = Technique[new.technique] if new.technique else None
        letter = make_letter(office, new.program, parse(new.version), technique, request.state.operator)
        return LetterView(letter=letter)

    return router

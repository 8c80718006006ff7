"""Components over HTTP, for operators."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request

from fob_office.components.service import add_release, release_row, releases_after, releases_of, withdraw
from fob_office.components.shipping import add_shipped
from fob_office.components.tables import ReleaseState
from fob_office.components.versions import parse
from fob_office.components.views import Added, NewRelease, ReleaseView, ShippedRequest, VersionText, release_view
from fob_office.http.parameters import AfterId, PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.words import Name

ComponentPath = Annotated[Name, Path(description="Id of the component.")]
VersionPath = Annotated[VersionText, Path(description="Of the release.")]
PREFIX: Final = "/components"


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    return _reading(office), _changing(office), _shipped(office)


def _reading(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get("", summary="All releases, oldest first", operation_id="list_releases")
    def list_releases(
        after: AfterId = 0,
        count: PageSize = PAGE,
    ) -> list[ReleaseView]:
        with office.database.read() as session:
            return [release_view(row) for row in releases_after(session, after, count)]

    @router.get(
        "/{component}", summary="Releases of one component, newest first", operation_id="get_component",
        responses=documented(404),
    )  # fmt: skip
    def get_component(component: ComponentPath) -> list[ReleaseView]:
        with office.database.read() as session:
            return [release_view(row) for row in releases_of(session, component)]

    return router


def _changing(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=documented(404, 409))

    @router.post("", status_code=201, summary="Release a component", operation_id="add_release")
    def add(request: Request, new: NewRelease) -> ReleaseView:
        state = ReleaseState.STAGED if new.staged else ReleaseState.AVAILABLE
        row = add_release(office, new.draft(), request.state.operator, server=new.signer, state=state)
        return release_view(row)

    @router.post("/{component}/{version}/withdraw", summary="Nobody gets it now", operation_id="withdraw_release")
    def withdrawn(request: Request, component: ComponentPath, version: VersionPath) -> ReleaseView:
        withdraw(office, component, parse(version), request.state.operator)
        with office.database.read() as session:
            return release_view(release_row(session, component, parse(version)))

    return router


def _shipped(office: Office) -> APIRouter:
    router = APIRouter(prefix="/shipped-components", responses=documented(404, 409))

    @router.post("", summary="Release those that come with Fob", operation_id="add_shipped")
    def shipped(request: Request, which: ShippedRequest) -> Added:
        return Added(components=add_shipped(office, which.hardware, request.state.operator))

    return router

"""/v1/operator: the same services as the command line has, as JSON, for who has a token.

What the issuer signs is not offered here: no process that serves the network loads the issuer's key.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from fob_office.errors import UsageError
from fob_office.events.service import ENDLESS, events_after, events_before
from fob_office.events.views import EventView
from fob_office.http.parameters import AfterId, NamePath, PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.role import Role
from fob_office.servers.views import ServerView, server_view, server_views

Order = Literal["oldest", "newest"]


def operator_routes(office: Office, roles: Sequence[Role]) -> Iterator[tuple[str, APIRouter]]:
    """Those of the office itself, and of each role; with the tag that they have in the description."""
    yield "office", _own_routes(office)
    for role in roles:
        for router in () if role.operator is None else role.operator(office):
            yield role.name, router


def _own_routes(office: Office) -> APIRouter:
    router = APIRouter()

    @router.get("/servers", summary="All servers", operation_id="list_servers")
    def list_servers() -> list[ServerView]:
        with office.database.read() as session:
            return server_views(session)

    @router.get("/servers/{name}", summary="One server", operation_id="get_server", responses=documented(404))
    def get_server(name: NamePath) -> ServerView:
        with office.database.read() as session:
            return server_view(session, name)

    @router.get("/events", summary="What was done, oldest first or newest first", operation_id="list_events")
    def list_events(
        after: AfterId = 0,
        before: Annotated[int, Query(ge=1, le=ENDLESS, description="With `newest`: those before this id.")] = ENDLESS,
        order: Annotated[Order, Query(description="`after` is for `oldest` alone, `before` for `newest`.")] = "oldest",
        count: PageSize = PAGE,
    ) -> list[EventView]:
        if (order == "newest" and after) or (order == "oldest" and before != ENDLESS):
            what = "`after` is for `order=oldest`, `before` for `order=newest`"
            raise UsageError("that is no page of events", what, "/v1/operator/events?order=newest&before=ID")
        with office.database.read() as session:
            found = events_after(session, after, count) if order == "oldest" else events_before(session, before, count)
            return [EventView.model_validate(event) for event in found]

    return router

"""Entitlements over HTTP, for operators."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from fob_office.entitlements.changing import Change, Entitling
from fob_office.entitlements.levels import check_levels
from fob_office.entitlements.views import (
    Computers,
    EntitlementChange,
    EntitlementView,
    entitlement_view,
    entitlement_views,
)
from fob_office.http.parameters import PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.words import Hex16, Name

NO_CODE = "0" * 32
Code = Annotated[Hex16, Path(description="User identification code.")]


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    return _reading(office), _changing(office)


def _reading(office: Office) -> APIRouter:
    router = APIRouter()

    @router.get("/entitlements", summary="What people may do, by code", operation_id="list_entitlements")
    def list_entitlements(
        server: Annotated[Name | None, Query()] = None,
        after: Annotated[Hex16, Query(description="The last code that is known.")] = NO_CODE,
        count: PageSize = PAGE,
    ) -> list[EntitlementView]:
        with office.database.read() as session:
            return entitlement_views(session, server=server, after=bytes.fromhex(after), count=count)

    @router.get(
        "/entitlements/{code}", summary="What one may do", operation_id="get_entitlement", responses=documented(404)
    )
    def get_entitlement(code: Code) -> EntitlementView:
        with office.database.read() as session:
            return entitlement_view(session, bytes.fromhex(code))

    return router


def _changing(office: Office) -> APIRouter:
    router = APIRouter(responses=documented(404, 409))

    def seen(code: str) -> EntitlementView:
        with office.database.read() as session:
            return entitlement_view(session, bytes.fromhex(code))

    @router.patch(
        "/entitlements/{code}", summary="Levels up and down, options in and out", operation_id="change_entitlement"
    )
    def change_entitlement(request: Request, code: Code, change: EntitlementChange) -> EntitlementView:
        entitling = Entitling(office, request.state.operator)
        check_levels(change.applications)
        entitling.change(bytes.fromhex(code), Change(change.applications, change.add, change.remove))
        return seen(code)

    @router.put("/entitlements/{code}/computers", summary="Move it to these computers", operation_id="move_entitlement")
    def move_entitlement(request: Request, code: Code, computers: Computers) -> EntitlementView:
        to = [bytes.fromhex(computer) for computer in computers.computers]
        Entitling(office, request.state.operator).move(bytes.fromhex(code), to)
        return seen(code)

    @router.post("/entitlements/{code}/revoke", summary="Nothing more may be done", operation_id="revoke_entitlement")
    def revoke_entitlement(request: Request, code: Code) -> EntitlementView:
        Entitling(office, request.state.operator).revoke(bytes.fromhex(code))
        return seen(code)

    @router.post("/entitlements/{code}/restore", summary="As before it was revoked", operation_id="restore_entitlement")
    def restore_entitlement(request: Request, code: Code) -> EntitlementView:
        Entitling(office, request.state.operator).restore(bytes.fromhex(code))
        return seen(code)

    return router

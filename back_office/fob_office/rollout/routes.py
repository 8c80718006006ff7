"""Rollouts over HTTP, for operators."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request

from fob_office.components.versions import parse
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.rollout import service
from fob_office.rollout.views import (
    NewRollout,
    RolloutDetails,
    RolloutView,
    StartRequest,
    StopView,
    rollout_details,
    rollout_view,
    rollout_views,
)
from fob_office.words import Name
from fob_protocol.office.component import words

NamePath = Annotated[Name, Path(description="Of the rollout.")]
PREFIX: Final = "/rollouts"


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    return _reading(office), _changing(office)


def _reading(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get("", summary="All rollouts, by name", operation_id="list_rollouts")
    def list_rollouts() -> list[RolloutView]:
        with office.database.read() as session:
            return rollout_views(session)

    @router.get("/{name}", summary="One rollout", operation_id="get_rollout", responses=documented(404))
    def get_rollout(name: NamePath) -> RolloutDetails:
        with office.database.read() as session:
            return rollout_details(session, name)

    return router


def _changing(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX, responses=documented(404, 409))

    def seen(name: str) -> RolloutView:
        with office.database.read() as session:
            return rollout_view(session, name)

    @router.post("", status_code=201, summary="Plan a rollout", operation_id="create_rollout")
    def create(request: Request, new: NewRollout) -> RolloutView:
        version, who = parse(new.version), request.state.operator
        service.create_rollout(office, new.name, new.component, version, new.course(), who)
        return seen(new.name)

    @router.post("/{name}/start", summary="Start the first group, or the next", operation_id="start_rollout")
    def start(request: Request, name: NamePath, how: StartRequest) -> RolloutView:
        service.start_rollout(office, name, request.state.operator, anyway=how.anyway)
        return seen(name)

    @router.post("/{name}/pause", summary="Nobody new gets it", operation_id="pause_rollout")
    def pause(request: Request, name: NamePath) -> RolloutView:
        service.pause_rollout(office, name, request.state.operator)
        return seen(name)

    @router.post("/{name}/resume", summary="Go on", operation_id="resume_rollout")
    def resume(request: Request, name: NamePath) -> RolloutView:
        service.resume_rollout(office, name, request.state.operator)
        return seen(name)

    @router.post("/{name}/stop", summary="Emergency stop", operation_id="stop_rollout")
    def stop(request: Request, name: NamePath) -> StopView:
        replacement = service.stop_rollout(office, name, request.state.operator)
        return StopView(replaced_by=words(replacement) if replacement else None, rollout=seen(name))

    return router

"""The FastAPI application: which roles it has is a setting, so that they can run apart."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from fastapi import Depends, FastAPI

from fob_office.answering import Answering
from fob_office.centre.communication.asking import CentreAsker
from fob_office.centre.places import centre_folder, has_centre
from fob_office.http.authentication import authenticated
from fob_office.http.centre_metrics import centre_text
from fob_office.http.device import device_routes
from fob_office.http.health import health_routes
from fob_office.http.limits import BodyLimit, Rates, Turns
from fob_office.http.metering import metering_routes
from fob_office.http.metrics import Metrics, metrics_routes
from fob_office.http.operator import operator_routes
from fob_office.http.orphans import end_with_parent
from fob_office.http.problems import Problem, documented, tell_problems
from fob_office.http.rounds import going_round
from fob_office.logs import configure_logs
from fob_office.office import Office, open_office
from fob_office.page.routes import page_routes
from fob_office.role import Role
from fob_office.roles import chosen
from fob_office.settings import STATE_VARIABLE, load_settings
from fob_office.surroundings import SYSTEM

OPENAPI: Final = "/v1/openapi.json"
_DESCRIPTION: Final = (
    "What devices say is sealed (docs/office-protocol.md); operators speak JSON. Errors are problems (RFC 9457)."
)


def create_app(office: Office, roles: Sequence[Role] | None = None) -> FastAPI:
    """Serves an office, with the roles of its settings or these, and closes it at the end. Raises UsageError."""

    roles = chosen(office.settings.roles) if roles is None else roles
    rounds = [role.round for role in roles if role.round is not None]

    state = office.settings.state
    asker = CentreAsker(centre_folder(state)) if has_centre(state) else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with going_round(office, rounds):
            yield
        if asker is not None:
            asker.close()
        office.close()

    limits = office.settings.limits
    metrics = Metrics(office.surroundings.ticks)
    answering = Answering(office, roles, metrics.refused)
    app = _Described(
        title="Fob back office", version=version("fobd"), description=_DESCRIPTION, lifespan=lifespan,
        # The pages that FastAPI offers load programs from elsewhere.
        openapi_url=OPENAPI, docs_url=None, redoc_url=None,
    )  # fmt: skip
    tell_problems(app)
    app.add_middleware(BodyLimit)
    rates = Rates(limits, office.surroundings.ticks)
    app.include_router(device_routes(answering, Turns(limits), rates, metrics))
    if asker is not None:
        app.include_router(metering_routes(asker, rates, metrics))
    behind_token = partial(
        app.include_router, dependencies=[Depends(authenticated(office))],
        responses=documented(400, 401, 403, 413, 422, 503),
    )  # fmt: skip
    # One by one: FastAPI makes the routes of a router within a router anew at every level.
    for tag, router in operator_routes(office, roles):
        behind_token(router, prefix="/v1/operator", tags=[tag])
    behind_token(metrics_routes(metrics, partial(centre_text, state)), prefix="/v1")
    app.include_router(health_routes(office))
    app.include_router(page_routes(office))
    return app


def from_environment() -> FastAPI:
    """For a worker process, which is told no more than where the office is. Raises OperatorError."""
    end_with_parent()
    settings = load_settings(Path(os.environ[STATE_VARIABLE]), os.environ)
    configure_logs(settings.log)
    return create_app(open_office(settings, os.environ, SYSTEM))


class _Described(FastAPI):
    """Knows of problems in its description."""

    def openapi(self) -> dict[str, Any]:
        """Called by FastAPI, which keeps it."""
        if self.openapi_schema is None:
            described = super().openapi()
            schemas = described.setdefault("components", {}).setdefault("schemas", {})
            schemas["Problem"] = Problem.model_json_schema()
        return super().openapi()

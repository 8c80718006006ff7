"""Registrations and templates over HTTP, for operators."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from fob_office.http.parameters import PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.registration.operating import Registrar, check_registers, registration
from fob_office.registration.templates import TemplateSetting, presets, setting_of
from fob_office.registration.views import (
    PersonView,
    RegistrationView,
    StandingWord,
    person_view,
    registering_servers,
    registration_views,
)
from fob_office.words import Hex16, Name

NO_CODE = "0" * 32
Code = Annotated[Hex16, Path(description="User identification code.")]


class Revocation(BaseModel):
    """`free_name`: somebody else may take the name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    free_name: bool = Field(default=False)


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    return _registrations(office), _templates(office)


def _registrations(office: Office) -> APIRouter:
    router = APIRouter()

    @router.get("/registrations", summary="Who is registered, by code", operation_id="list_registrations")
    def list_registrations(
        server: Annotated[Name | None, Query()] = None,
        standing: Annotated[StandingWord | None, Query()] = None,
        after: Annotated[Hex16, Query(description="The last code that is known.")] = NO_CODE,
        count: PageSize = PAGE,
    ) -> list[RegistrationView]:
        with office.database.read() as session:
            return registration_views(
                session, server=server, standing=standing, after=bytes.fromhex(after), count=count
            )

    @router.get(
        "/registrations/{code}", summary="One of them", operation_id="get_registration", responses=documented(404)
    )
    def get_registration(code: Code) -> PersonView:
        with office.database.read() as session:
            return person_view(session, office.sealer, registration(session, bytes.fromhex(code)))

    @router.post(
        "/registrations/{code}/revoke",
        summary="End it for ever",
        operation_id="revoke_registration",
        responses=documented(404, 409),
    )
    def revoke_registration(request: Request, code: Code, revocation: Revocation) -> PersonView:
        user_code = bytes.fromhex(code)
        Registrar(office, request.state.operator).revoke(user_code, frees_name=revocation.free_name)
        with office.database.read() as session:
            return person_view(session, office.sealer, registration(session, user_code))

    return router


def _templates(office: Office) -> APIRouter:
    router = APIRouter()

    @router.get("/template-presets", summary="Templates that come with Fob", operation_id="list_presets")
    def list_presets() -> dict[str, TemplateSetting]:
        return presets()

    @router.get("/templates", summary="What each server asks for", operation_id="list_templates")
    def list_templates() -> dict[str, TemplateSetting]:
        with office.database.read() as session:
            return {server: setting_of(session, server) for server in registering_servers(session)}

    @router.get(
        "/templates/{server}", summary="What one asks for", operation_id="get_template", responses=documented(404)
    )
    def get_template(server: Name) -> TemplateSetting:
        with office.database.read() as session:
            check_registers(session, server)
            return setting_of(session, server)

    @router.put(
        "/templates/{server}", summary="Ask for this", operation_id="set_template", responses=documented(404, 409)
    )
    def set_template(request: Request, server: Name, setting: TemplateSetting) -> TemplateSetting:
        Registrar(office, request.state.operator).set_template(server, setting)
        return setting

    return router

"""Programs over HTTP, for operators. Installations are added on the command line: they are too large for one body."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request

from fob_office.components.versions import parse
from fob_office.components.views import VersionText
from fob_office.http.parameters import AfterId, PageSize
from fob_office.http.problems import documented
from fob_office.office import Office
from fob_office.paging import PAGE
from fob_office.programs.service import change_setting, installations_after, withdraw_installation
from fob_office.programs.views import (
    ChangedSetting,
    InstallationView,
    ProgramView,
    SettingView,
    installation_view,
    program_view,
    setting_view,
)
from fob_office.words import Name

ProgramPath = Annotated[Name, Path(description="Id of a component, or an installation's name.")]
VersionPath = Annotated[VersionText, Path(description="Of the program.")]
PREFIX: Final = "/programs"
POLICIES: Final = "/policies"


def operator_routes(office: Office) -> Sequence[APIRouter]:
    """All of them."""
    return _reading(office), _changing(office)


def _reading(office: Office) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get("", summary="Installations, oldest first", operation_id="list_installations")
    def list_installations(
        after: AfterId = 0,
        count: PageSize = PAGE,
    ) -> list[InstallationView]:
        with office.database.read() as session:
            return [installation_view(row) for row in installations_after(session, after, count)]

    @router.get(
        "/{program}/{version}", summary="One program, and how its copies are made", operation_id="get_program",
        responses=documented(404),
    )  # fmt: skip
    def get_program(program: ProgramPath, version: VersionPath) -> ProgramView:
        with office.database.read() as session:
            return program_view(session, program, parse(version))

    return router


def _changing(office: Office) -> APIRouter:
    router = APIRouter(responses=documented(404, 409))

    @router.put(f"{POLICIES}/{{program}}", summary="Of copies of all versions", operation_id="change_program_policy")
    def change_all(request: Request, program: ProgramPath, changed: ChangedSetting) -> SettingView:
        return setting_view(change_setting(office, program, None, changed.change(), request.state.operator))

    @router.put(
        f"{POLICIES}/{{program}}/{{version}}", summary="Of copies of one version", operation_id="change_version_policy"
    )  # fmt: skip
    def change_one(
        request: Request, program: ProgramPath, version: VersionPath, changed: ChangedSetting
    ) -> SettingView:  # fmt: skip
        setting = change_setting(office, program, parse(version), changed.change(), request.state.operator)
        return setting_view(setting)

    @router.post(
        f"{PREFIX}/{{program}}/{{version}}/withdraw", summary="New copies of an installation are disabled",
        operation_id="withdraw_installation",
    )  # fmt: skip
    def withdraw(request: Request, program: ProgramPath, version: VersionPath) -> ProgramView:
        withdraw_installation(office, program, parse(version), request.state.operator)
        with office.database.read() as session:
            return program_view(session, program, parse(version))

    return router

"""Looks at each request where it arrives: application, level and computer, as they are at this moment (R23)."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from fob_office.entitlements.service import level_at
from fob_office.gateway.application import NOT_FOUND, Application, Call, Route, answer
from fob_office.gateway.profile import PROFILE
from fob_office.gateway.reports import REPORTS
from fob_office.office import Office
from fob_office.refusing import RuleBrokenError
from fob_office.registration.tables import Registration
from fob_protocol.office.entitlements import Use, Used
from fob_protocol.office.refusals import Refusal

_ID_SIZE: Final = 16
SHIPPED: Final = {application.name: application for application in (REPORTS, PROFILE)}


class Gateway:
    """In front of some applications."""

    def __init__(self, office: Office, applications: Mapping[str, Application] = SHIPPED) -> None:
        self._office = office
        self._applications = applications

    def serve(self, session: Session, person: Registration, use: Use) -> Used:
        """The application's answer. Raises RuleBrokenError NOT_ENTITLED, and then nothing was written."""
        level = level_at(session, person.user_code, use.application, use.computer)
        if level == 0:
            raise RuleBrokenError(Refusal.NOT_ENTITLED, "R23", f"nothing at {use.application} from {_computer(use)}")
        first, _, rest = use.path.partition("/")
        route = self._route(use.application, first)
        if route is None:
            return answer(NOT_FOUND)
        if level < route.level:
            raise RuleBrokenError(Refusal.NOT_ENTITLED, "R23", f"level {level} at {use.application}, not {route.level}")
        call = Call(
            session, self._office.sealer, self._office.now(), self._office.surroundings.random(_ID_SIZE), person, level,
            rest, use.body,
        )  # fmt: skip
        with session.begin_nested():
            return route.serve(call)

    def _route(self, application: str, first: str) -> Route | None:
        found = self._applications.get(application)
        return found.routes.get(first) if found is not None else None


def _computer(use: Use) -> str:
    """As an operator names it to `entitlement move`."""
    return f"computer {use.computer.hex()}" if use.computer is not None else "the device itself"

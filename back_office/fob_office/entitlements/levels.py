"""Which levels there are to give: those that an application behind the gateway looks at."""

from collections.abc import Mapping
from typing import Final

from fob_office.errors import OperatorError
from fob_office.gateway.service import SHIPPED

_HELP: Final = "fob-office entitlement set --help"


def check_levels(levels: Mapping[str, int]) -> None:
    """Raises OperatorError: there is no such application, or none of its routes takes so much. 0 is always good."""
    for name, level in levels.items():
        if level:
            _check(name, level)


def _check(name: str, level: int) -> None:
    application = SHIPPED.get(name)
    if application is None:
        raise OperatorError(f"there is no application {name}", f"known are {', '.join(sorted(SHIPPED))}", _HELP)
    most = max(route.level for route in application.routes.values())
    if level > most:
        raise OperatorError(f"{name} has no level {level}", f"the levels of {name} are 1 to {most}", _HELP)

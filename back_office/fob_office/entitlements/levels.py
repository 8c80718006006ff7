"""Which levels there are to give: those that an application behind the gateway looks at."""

from collections.abc import Mapping

from fob_office.errors import OperatorError
from fob_office.gateway.service import SHIPPED


def check_levels(levels: Mapping[str, int]) -> None:
    """Raises OperatorError: there is no such application, or none of its routes takes so much. 0 is always good."""
    for name, level in levels.items():
        application = SHIPPED.get(name)
        most = max(route.level for route in application.routes.values()) if application is not None else 0
        if level > most:
            known = ", ".join(sorted(SHIPPED))
            why = f"the levels of {name} are 1 to {most}" if application is not None else f"known are {known}"
            what = f"{name} has no level {level}" if application is not None else f"there is no application {name}"
            raise OperatorError(what, why, "fob-office entitlement set --help")

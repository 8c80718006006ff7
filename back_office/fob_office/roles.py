"""The roles of an office. To add one:

1. a package beside this file: `tables.py` (rows), `service.py` (rules, no HTTP), `messages.py` (body in, body out) and
   `role.py` with a `Role`, which imports the tables;
2. a line in ROLES;
3. a migration in `database/migrations/versions/`, whose `down_revision` is "0001" (later ones follow it);
4. if an operator has commands for it, a line in `cli/main.py`.
"""

from collections.abc import Sequence
from typing import Final

from fob_office.components.role import COMPONENTS
from fob_office.configuration.role import CONFIGURATION
from fob_office.devices.role import DEVICES
from fob_office.directory.role import DIRECTORY
from fob_office.distribution.role import DISTRIBUTION
from fob_office.entitlements.role import ENTITLEMENTS
from fob_office.errors import UsageError
from fob_office.orders.role import ORDERS
from fob_office.programs.role import PROGRAMS
from fob_office.registration.role import REGISTRATION
from fob_office.role import Role
from fob_office.rollout.role import ROLLOUT
from fob_office.sessions.role import SESSIONS
from fob_office.validation.role import VALIDATION
from fob_office.watching.role import WATCHING

ROLES: Final[tuple[Role, ...]] = (
    DIRECTORY,
    DEVICES,
    ORDERS,
    COMPONENTS,
    CONFIGURATION,
    ROLLOUT,
    REGISTRATION,
    SESSIONS,
    ENTITLEMENTS,
    PROGRAMS,
    DISTRIBUTION,
    VALIDATION,
    WATCHING,
)


def chosen(names: Sequence[str] | None) -> tuple[Role, ...]:
    """The roles of these names; None is all. Raises UsageError."""
    if names is None:
        return ROLES
    known = {role.name: role for role in ROLES}
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"there is no role {unknown[0]}", f"there are {', '.join(known)}", "mend office.toml: roles")
    return tuple(known[name] for name in names)

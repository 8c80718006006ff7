"""Device records as a role: operators add them here; what devices ask is answered by the configuration."""

from fob_office.devices import tables  # noqa: F401 - the tables of this role
from fob_office.devices.routes import operator_routes
from fob_office.role import Role

DEVICES = Role("devices", {}, lambda _: {}, operator_routes)

"""Components as a role: operators release and withdraw them here."""

from fob_office.components import tables  # noqa: F401 - the tables of this role
from fob_office.components.routes import operator_routes
from fob_office.role import Role

COMPONENTS = Role("components", {}, lambda _: {}, operator_routes)

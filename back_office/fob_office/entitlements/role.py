"""Entitlements as a role: devices ask for them in sessions, operators change them here."""

from fob_office.entitlements import tables  # noqa: F401 - the tables of this role
from fob_office.entitlements.routes import operator_routes
from fob_office.role import Role

ENTITLEMENTS = Role("entitlements", {}, lambda _: {}, operator_routes)

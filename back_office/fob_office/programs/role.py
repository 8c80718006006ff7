"""Programs as a role: operators add them here; copies of them are given and appraised by two others."""

from fob_office.programs import tables  # noqa: F401 - the tables of this role
from fob_office.programs.routes import operator_routes
from fob_office.role import Role

PROGRAMS = Role("programs", {}, lambda _: {}, operator_routes)

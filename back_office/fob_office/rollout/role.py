"""Rollouts as a role: operators plan and steer them here."""

from fob_office.role import Role
from fob_office.rollout import tables  # noqa: F401 - the tables of this role
from fob_office.rollout.routes import operator_routes

ROLLOUT = Role("rollout", {}, lambda _: {}, operator_routes)

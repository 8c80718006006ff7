"""Orders as a role: operators make and change them here."""

from fob_office.orders import tables  # noqa: F401 - the tables of this role
from fob_office.orders.routes import operator_routes
from fob_office.role import Role

ORDERS = Role("orders", {}, lambda _: {}, operator_routes)

"""The role that shows operators what was found. Counting and finding is done wherever copies are validated."""

from collections.abc import Mapping

from fob_office.office import Office
from fob_office.role import Handler, Role
from fob_office.watching import tables  # noqa: F401 - the tables of this role
from fob_office.watching.findings import log_finding
from fob_office.watching.rounds import look
from fob_office.watching.routes import operator_routes
from fob_protocol.office.envelope import Service


def _handlers(_: Office) -> Mapping[Service, Handler]:
    return {}


def _round(office: Office) -> None:
    for found in look(office):
        log_finding(found)


WATCHING = Role("watching", {}, _handlers, operator_routes, _round)

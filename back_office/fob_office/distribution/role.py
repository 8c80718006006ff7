"""The role that holders have their copies from."""

from collections.abc import Mapping
from functools import partial

from fob_office.distribution import tables  # noqa: F401 - the tables of this role
from fob_office.distribution.messages import answer
from fob_office.distribution.routes import operator_routes
from fob_office.office import Office
from fob_office.role import Handler, Role
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service


def _handlers(office: Office) -> Mapping[Service, Handler]:
    return {Service.DISTRIBUTION: partial(answer, office)}


DISTRIBUTION = Role("distribution", {Service.DISTRIBUTION: Usage.DISTRIBUTION}, _handlers, operator_routes)

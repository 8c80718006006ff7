"""Registration as a role: what devices ask is answered here, what operators ask in `routes`."""

from collections.abc import Mapping
from functools import partial

from fob_office.office import Office
from fob_office.registration import tables  # noqa: F401 - the tables of this role
from fob_office.registration.messages import answer
from fob_office.registration.routes import operator_routes
from fob_office.registration.service import Registering
from fob_office.role import Handler, Role
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service


def _handlers(office: Office) -> Mapping[Service, Handler]:
    return {Service.REGISTRATION: partial(answer, Registering(office))}


REGISTRATION = Role("registration", {Service.REGISTRATION: Usage.REGISTRATION}, _handlers, operator_routes)

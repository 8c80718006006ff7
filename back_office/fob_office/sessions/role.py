"""Sessions as a role; the gateway stands in it, since every request arrives in a session."""

from collections.abc import Mapping
from functools import partial

from fob_office.gateway import tables as _gateway_tables  # noqa: F401 - the tables of this role
from fob_office.gateway.service import Gateway
from fob_office.office import Office
from fob_office.role import Handler, Role
from fob_office.sessions import tables as _tables  # noqa: F401
from fob_office.sessions.messages import answer
from fob_office.sessions.proving import Proving
from fob_office.sessions.service import Sessions
from fob_office.sessions.speaking import Speaking
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service


def _handlers(office: Office) -> Mapping[Service, Handler]:
    sessions = Sessions(office, Proving(office), Speaking(office, Gateway(office)))
    return {Service.SESSION: partial(answer, sessions)}


SESSIONS = Role("sessions", {Service.SESSION: Usage.REGISTRATION}, _handlers)

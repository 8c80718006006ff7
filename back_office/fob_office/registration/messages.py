"""Service `registration`: what a device says, and what it is answered."""

from fob_office.registration.service import Registering
from fob_office.role import Body
from fob_protocol.office.message import read_one_of
from fob_protocol.office.registration import GetTemplate, Register, RegisterAnswer


def answer(registering: Registering, body: Body) -> bytes:
    """Raises OfficeError, RefusedError."""
    message = read_one_of((GetTemplate, Register), body.octets)
    if isinstance(message, Register):
        return RegisterAnswer(registering.register(body.server, message.request)).octets()
    return registering.template(body.server).octets()

"""Service `session`: what a device says, and what it is answered."""

from fob_office.role import Body
from fob_office.sessions.service import Sessions
from fob_protocol.office.message import read_one_of
from fob_protocol.office.session import Open, Prove, Say


def answer(sessions: Sessions, body: Body) -> bytes:
    """Raises OfficeError, RefusedError."""
    message = read_one_of((Open, Prove, Say), body.octets)
    match message:
        case Prove():
            return sessions.prove(body, message)
        case Say():
            return sessions.say(body, message)
        case Open():
            return sessions.open(body, message).octets()
    raise AssertionError(message)

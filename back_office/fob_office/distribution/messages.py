"""Service `distribution`: what a holder says, and what it is answered."""

from fob_office.distribution.service import Distributing
from fob_office.office import Office
from fob_office.role import Body
from fob_protocol.integrity.distribution import AskCopies, Enrol
from fob_protocol.office.message import read_one_of


def answer(office: Office, body: Body) -> bytes:
    """Raises OfficeError, RefusedError."""
    message = read_one_of((AskCopies, Enrol), body.octets)
    distributing = Distributing(office, body.server)
    match message:
        case AskCopies():
            return distributing.copies(message.request).octets()
        case Enrol():
            return distributing.enrol(message.enrolment).octets()
    raise AssertionError(message)

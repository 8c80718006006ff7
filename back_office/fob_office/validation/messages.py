"""Service `validation`: what a holder says, and what it is answered."""

from fob_office.office import Office
from fob_office.role import Body
from fob_office.validation.challenges import give_challenge
from fob_office.validation.service import Validating
from fob_protocol.integrity.validation import ChallengeGiven, GetChallenge, Validate
from fob_protocol.office.message import read_one_of


def answer(office: Office, body: Body) -> bytes:
    """Raises OfficeError, RefusedError."""
    message = read_one_of((GetChallenge, Validate), body.octets)
    match message:
        case GetChallenge():
            return ChallengeGiven(give_challenge(office, body.server.name, message.copy)).octets()
        case Validate():
            return Validating(office, body.server).validate(message)
    raise AssertionError(message)

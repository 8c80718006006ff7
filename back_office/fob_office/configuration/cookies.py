"""What the office gives out and knows again without keeping it: challenges and tickets."""

from dataclasses import dataclass
from typing import Final

from fob_office.office import Office
from fob_protocol.cose.cbor import Value
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import is_same
from fob_protocol.office.limits import CHALLENGE_TIME, TICKET_TIME
from fob_protocol.office.message import Count, Message, Nonce, Octets32, Time, read

_NONCE_SIZE: Final = 16


class _Challenge(Message, frozen=True):
    time: Time
    nonce: Nonce
    proof: Octets32


class _Ticket(Message, frozen=True):
    device: Count
    counter: Count
    time: Time
    proof: Octets32


@dataclass(frozen=True, slots=True)
class Ticket:
    """For the set that a device was granted by the request of this counter."""

    device: int
    counter: int


def new_challenge(office: Office, server: str) -> bytes:
    """Of a server, for whoever asks; it says when it was made, and nothing about anybody."""
    time, nonce = office.now(), office.surroundings.random(_NONCE_SIZE)
    return _Challenge(time, nonce, _challenge_proof(office, server, time, nonce)).octets()


def is_good_challenge(office: Office, server: str, octets: bytes) -> bool:
    """Whether it is this server's, and not older than CHALLENGE_TIME."""
    try:
        challenge = read(_Challenge, octets)
    except OfficeError:
        # The same work for what is none.
        challenge = _Challenge(0, bytes(_NONCE_SIZE), bytes(32))
    proof = _challenge_proof(office, server, challenge.time, challenge.nonce)
    return is_same(proof, challenge.proof) and 0 <= office.now() - challenge.time <= CHALLENGE_TIME


def new_ticket(office: Office, ticket: Ticket) -> bytes:
    """Good for TICKET_TIME."""
    time = office.now()
    return _Ticket(ticket.device, ticket.counter, time, _ticket_proof(office, ticket, time)).octets()


def read_ticket(office: Office, octets: bytes) -> Ticket | None:
    """None: it is not the office's, or over."""
    try:
        given = read(_Ticket, octets)
    except OfficeError:
        return None
    ticket = Ticket(given.device, given.counter)
    is_ours = is_same(_ticket_proof(office, ticket, given.time), given.proof)
    return ticket if is_ours and office.now() - given.time <= TICKET_TIME else None


def _challenge_proof(office: Office, server: str, time: int, nonce: bytes) -> bytes:
    value: Value = [server, time, nonce]
    return office.sealer.cookie("challenge", value)


def _ticket_proof(office: Office, ticket: Ticket, time: int) -> bytes:
    value: Value = [ticket.device, ticket.counter, time]
    return office.sealer.cookie("ticket", value)

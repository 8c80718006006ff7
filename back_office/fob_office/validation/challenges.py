"""Challenges: for one server, one copy and the next request of it, for CHALLENGE_TIME (V7).

A challenge says itself when it was given, and the office knows its own again: nothing is kept, so that who asks for
challenges of a copy that is another's takes nothing from its holder. It is good once because that request uses its
number up.
"""

import secrets
from typing import Final

from sqlalchemy import select

from fob_office.distribution.tables import Copy
from fob_office.office import Office
from fob_protocol.integrity.limits import CHALLENGE_TIME

# time ‖ nonce ‖ the first 16 octets of the proof: together CHALLENGE_SIZE.
_TIME_SIZE: Final = 8
_NONCE_SIZE: Final = 8
_PROOF_SIZE: Final = 16


def give_challenge(office: Office, server: str, copy: bytes) -> bytes:
    """CHALLENGE_SIZE octets, whether there is such a copy or not, after the same work."""
    with office.database.read() as session:
        number = session.scalars(select(Copy.program_number).where(Copy.number == copy)).one_or_none()
    return challenge_behind(office, server, copy, number or 0)


def challenge_behind(office: Office, server: str, copy: bytes, number: int) -> bytes:
    """CHALLENGE_SIZE octets for the request after the one with this PSI."""
    said = office.now().to_bytes(_TIME_SIZE) + office.surroundings.random(_NONCE_SIZE)
    return said + _proof(office, server, copy, number, said)


def is_good(office: Office, server: str, copy: Copy, told: bytes | None) -> bool:
    """Whether this server's office gave it for the copy's next request, and it is not over."""
    if told is None:
        return False
    said, proof = told[: _TIME_SIZE + _NONCE_SIZE], told[_TIME_SIZE + _NONCE_SIZE :]
    is_ours = secrets.compare_digest(proof, _proof(office, server, copy.number, copy.program_number, said))
    # Of another machine of this office it may be a little ahead.
    return is_ours and abs(office.now() - int.from_bytes(said[:_TIME_SIZE])) <= CHALLENGE_TIME


def _proof(office: Office, server: str, copy: bytes, number: int, said: bytes) -> bytes:
    """`number` is the PSI that the copy has used last."""
    return office.sealer.cookie("integrity challenge", [server, copy, number, said])[:_PROOF_SIZE]

"""Where a request stands in the journal: where nobody else's can (M33; docs/meter-protocol.md, section 5)."""

from typing import Final

from fob_protocol.cose.cbor import encode
from fob_protocol.office.hashing import digest

PLACE_SIZE: Final = 16

_OF_MAILERS: Final = "fob/1 request"
_DERIVED: Final = "fob/1 derived request"
_SIGN_UP: Final = "fob/1 sign-up"
_SIGN_ON: Final = "fob/1 sign-on"


def place_of(serial: str, request_id: bytes, request_digest: bytes) -> bytes:
    """Of a request about a meter; `request_digest` is H of it.

    What is derived has its id from H. No mailer can bring that about for a request of his own: H is over the id.
    """
    is_derived = request_id == request_digest[: len(request_id)]
    return _place(_DERIVED if is_derived else _OF_MAILERS, serial, request_id)


def sign_up_place(request_id: bytes) -> bytes:
    """There is no meter yet."""
    return _place(_SIGN_UP, "", request_id)


def sign_on_place(request_id: bytes) -> bytes:
    """It is looked for before anybody knows whose it is."""
    return _place(_SIGN_ON, "", request_id)


def _place(domain: str, serial: str, request_id: bytes) -> bytes:
    return digest(encode([domain, serial, request_id]))[:PLACE_SIZE]

"""The integrity check value of a copy (V2, V8, MP9)."""

import hashlib
import hmac

from fob_protocol.cose.cbor import encode
from fob_protocol.integrity.limits import IV_SIZE
from fob_protocol.integrity.method import Method
from fob_protocol.integrity.order import order_of, pieces
from fob_protocol.integrity.source import Source


def integrity_value(
    method: Method, identifier: bytes, iv: bytes | None, challenge: bytes | None, source: Source
) -> bytes:
    """The ICV, 32 octets. `iv` has IV_SIZE octets where the variant has one, `challenge` where the technique has.

    Raises ValueError when one is there that should not be, or is missing; what `source` raises.
    """
    _check(iv is not None, method.variant.has_iv, "initialisation value")
    _check(challenge is not None, method.technique.is_challenged, "challenge")
    order = order_of(method, identifier, iv, source.length)
    header = encode([
        "fob/1 integrity value", method.technique, method.variant, identifier, iv,
        order.offset, order.direction, source.length,
    ])  # fmt: skip
    value = hashlib.sha256(header) if challenge is None else hmac.new(challenge, header, "sha256")
    for piece in pieces(source, order):
        value.update(piece)
    return value.digest()


def initialisation_value(program_number: int, random: bytes) -> bytes:
    """The IV of a request: its PSI, and 8 random octets. So it is used once (V10)."""
    iv = program_number.to_bytes(8) + random
    if len(iv) != IV_SIZE:
        raise ValueError("8 random octets are due")
    return iv


def is_of_request(iv: bytes, program_number: int) -> bool:
    """Whether an IV is that of a request with this PSI."""
    return len(iv) == IV_SIZE and iv[:8] == program_number.to_bytes(8)


def _check(is_there: bool, is_due: bool, what: str) -> None:
    if is_there != is_due:
        raise ValueError(f"{what} {'missing' if is_due else 'where there is none'}")

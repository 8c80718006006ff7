"""Sections 2 and 5 of docs/integrity-protocol.md a second time: by the dumbest means, one octet after the other.

Written from the text alone, and nothing of the house is used here. What the two disagree about, one of them has wrong.
"""

import hashlib
import hmac
from typing import NamedTuple

# The tables, as they are printed.
CHALLENGED = (3, 4, 5, 6, 7)
OFFSET_TECHNIQUES = (5, 7)
DIRECTION_TECHNIQUES = (6, 7)
OFFSET_VARIANTS = (2, 4, 5, 6, 7)
DIRECTION_VARIANTS = (6, 7)
IV_IN_HEADER = (3, 4, 5, 7)
IV_IN_DERIVATION = (5, 7)


class Way(NamedTuple):
    """Where measuring begins and which way it goes; `download` and `operation` are the parts of the offset."""

    offset: int
    direction: int
    download: int
    operation: int


def number(major: int, value: int) -> bytes:
    """The head of a CBOR item (RFC 8949, section 3)."""
    if value < 24:
        return bytes([major * 32 + value])
    if value < 0x100:
        return bytes([major * 32 + 24, value])
    if value < 0x10000:
        return bytes([major * 32 + 25, value // 0x100, value % 0x100])
    if value < 0x100000000:
        return bytes([major * 32 + 26]) + value.to_bytes(4, "big")
    return bytes([major * 32 + 27]) + value.to_bytes(8, "big")


def text(value: str) -> bytes:
    """A CBOR text."""
    return number(3, len(value.encode("utf-8"))) + value.encode("utf-8")


def octets(value: bytes) -> bytes:
    """A CBOR octet string."""
    return number(2, len(value)) + value


def array(*items: bytes) -> bytes:
    """A CBOR array of items that are encoded already."""
    return number(4, len(items)) + b"".join(items)


def hkdf(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869; no salt is 32 zeros."""
    inner = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    block, out, count = b"", b"", 0
    while len(out) < size:
        count += 1
        block = hmac.new(inner, block + info + bytes([count]), hashlib.sha256).digest()
        out += block
    return out[:size]


def way(technique: int, variant: int, identifier: bytes, iv: bytes | None, length: int) -> Way:
    """Offset and direction."""
    salt = iv if variant in IV_IN_DERIVATION and iv is not None else b""
    d = hkdf(identifier, b"", array(text("fob/1 download order"), number(0, technique)), 9)
    w = hkdf(identifier, salt, array(text("fob/1 measuring order"), number(0, variant)), 9)
    download = int.from_bytes(d[0:8], "big") % length if technique in OFFSET_TECHNIQUES and length else 0
    operation = int.from_bytes(w[0:8], "big") % length if variant in OFFSET_VARIANTS and length else 0
    direction = d[8] % 2 if technique in DIRECTION_TECHNIQUES else 0
    if variant in DIRECTION_VARIANTS and w[8] % 2 == 1:
        direction = 1 - direction
    return Way((download + operation) % length if length else 0, direction, download, operation)


def indices(offset: int, direction: int, length: int) -> list[int]:
    """Which octet comes when."""
    order, at = [], offset
    for _ in range(length):
        order.append(at)
        at = at + 1 if direction == 0 else at - 1
        if at == length:
            at = 0
        if at == -1:
            at = length - 1
    return order


def measure(
    technique: int, variant: int, identifier: bytes, iv: bytes | None, challenge: bytes | None, content: bytes
) -> bytes:
    """The ICV. An IV or challenge that has no place here is not looked at."""
    offset, direction, _, _ = way(technique, variant, identifier, iv, len(content))
    header = array(
        text("fob/1 integrity value"),
        number(0, technique),
        number(0, variant),
        octets(identifier),
        octets(iv) if variant in IV_IN_HEADER and iv is not None else b"\xf6",
        number(0, offset),
        number(0, direction),
        number(0, len(content)),
    )
    stream = bytes(content[at] for at in indices(offset, direction, len(content)))
    if technique in CHALLENGED and challenge is not None:
        return hmac.new(challenge, header + stream, hashlib.sha256).digest()
    return hashlib.sha256(header + stream).digest()


def next_identifier(identifier: bytes, seed: bytes, copy: bytes, vssi: int) -> bytes:
    """UI'."""
    return hkdf(identifier, seed, array(text("fob/1 next identifier"), octets(copy), number(0, vssi)), 32)


def identifier_name(identifier: bytes) -> bytes:
    """By which an identifier is recognised."""
    return hashlib.sha256(array(text("fob/1 identifier name"), octets(identifier))).digest()


def letter_check(identifier: bytes) -> bytes:
    """The last three octets of a letter."""
    return hashlib.sha256(array(text("fob/1 letter"), octets(identifier))).digest()[0:3]

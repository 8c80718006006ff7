"""Secrets at rest: AES-256-GCM, bound to where and why they stand."""

from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Random = Callable[[int], bytes]

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12


class SealBrokenError(Exception):
    """Wrong key, altered octets, or octets moved from another place."""


def derive_key(secret: bytes, label: str, *, salt: bytes = b"") -> bytes:
    """A 32-octet key for one purpose (HKDF-SHA256, RFC 5869); `label` separates the purposes."""
    return HKDF(SHA256(), KEY_SIZE, salt, label.encode()).derive(secret)


def binding(*parts: str | bytes | int) -> bytes:
    """Associated data from its parts, each with its length, so that no two lists give the same octets."""
    encoded = bytearray()
    for part in parts:
        octets = part.encode() if isinstance(part, str) else part if isinstance(part, bytes) else b"%d" % part
        encoded += len(octets).to_bytes(4) + octets
    return bytes(encoded)


def seal(key: bytes, secret: bytes, bound_to: bytes, random: Random) -> bytes:
    """Nonce (12), ciphertext, tag (16)."""
    nonce = random(NONCE_SIZE)
    return nonce + AESGCM(key).encrypt(nonce, secret, bound_to)


def unseal(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    """The secret. Raises SealBrokenError."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], bound_to)
    except (InvalidTag, ValueError):
        raise SealBrokenError from None

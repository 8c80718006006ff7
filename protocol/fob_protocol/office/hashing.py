"""Key derivation and proofs, over deterministic CBOR so that no two inputs look the same."""

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fob_protocol.cose.cbor import Value, encode

# Of `digest`.
DIGEST_SIZE: Final = 32


def digest(octets: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(octets).digest()


def derive(secret: bytes, salt: bytes | None, info: Value, size: int = 32) -> bytes:
    """HKDF-SHA256 (RFC 5869); `info` begins with a name of its own for each use."""
    return HKDF(SHA256(), size, salt, encode(info)).derive(secret)


def authenticate(key: bytes, value: Value) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, encode(value), "sha256")


def is_same(one: bytes, other: bytes) -> bool:
    """In constant time."""
    return hmac.compare_digest(one, other)

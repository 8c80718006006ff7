"""The commitment and the comparison code of a pairing (docs/protocol.md, section 5)."""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fob_protocol.noise.keys import DH_SIZE

COMMITMENT_LABEL: Final = b"Fob pairing commitment 1"
CODE_LABEL: Final = b"Fob comparison code 1"
PROLOGUE_LABEL: Final = b"Fob pairing 1"
COMMITMENT_SIZE: Final = 32
DIGITS: Final = 6


def commitment(ephemeral: bytes, static: bytes) -> bytes:
    """What the PC is bound to before it sees the device's key: SHA-256 over its two public keys, 32 octets each."""
    if len(ephemeral) != DH_SIZE or len(static) != DH_SIZE:
        raise ValueError("public keys are 32 octets")
    return hashlib.sha256(COMMITMENT_LABEL + ephemeral + static).digest()


def comparison_code(handshake_hash: bytes) -> str:
    """Six digits that both sides show; the hash is that after Noise message 2."""
    octets = HKDF(algorithm=SHA256(), length=8, salt=None, info=CODE_LABEL).derive(handshake_hash)
    return f"{int.from_bytes(octets, 'big') % 10**DIGITS:0{DIGITS}}"


def prologue(versions: bytes, version: int, committed: bytes) -> bytes:
    """What both sides must have seen before the first Noise message."""
    return PROLOGUE_LABEL + versions + bytes((version,)) + committed

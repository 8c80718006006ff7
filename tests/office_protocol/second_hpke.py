"""HPKE once more (RFC 9180, base mode), with an ephemeral key that is given: so a sealed question can be a vector.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. It shares no code with `fob_protocol.cose.hpke`.
"""

import hmac
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEM: Final = b"KEM" + (0x0020).to_bytes(2)
_SUITE: Final = b"HPKE" + b"".join(number.to_bytes(2) for number in (0x0020, 0x0001, 0x0002))
_BASE: Final = b"\x00"


def seal(receiver: bytes, ephemeral: bytes, info: bytes, plaintext: bytes) -> bytes:
    """`enc ‖ ct`, for the holder of the private half of `receiver`; `ephemeral` is the private key of this one time."""
    mine = X25519PrivateKey.from_private_bytes(ephemeral)
    enc = mine.public_key().public_bytes_raw()
    shared = mine.exchange(X25519PublicKey.from_public_bytes(receiver))
    secret = _expand(_KEM, _extract(_KEM, b"", b"eae_prk", shared), b"shared_secret", enc + receiver, 32)
    context = _BASE + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
    schedule = _extract(_SUITE, secret, b"secret", b"")
    key = _expand(_SUITE, schedule, b"key", context, 32)
    nonce = _expand(_SUITE, schedule, b"base_nonce", context, 12)
    return enc + AESGCM(key).encrypt(nonce, plaintext, b"")


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    """LabeledExtract (RFC 9180, section 4)."""
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, size: int) -> bytes:
    """LabeledExpand, of one block of HKDF-Expand at most."""
    labelled = size.to_bytes(2) + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, labelled + b"\x01", "sha256")[:size]

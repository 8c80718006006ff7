"""COSE_Sign1 with Ed25519 (RFC 9052, sections 4.2 and 4.4): whether a key that is listed signed something."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fob_log_verify.cbor import CborError, array_item, octets_item, read, text_item

_SIGN1: Final = 18
# The beginning of the SHA-256 of a key is its name.
_KID_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class Signed:
    """An object taken apart; `key_id` is what it says of its signer."""

    protected: bytes
    key_id: bytes
    payload: bytes
    signature: bytes


def take_apart(octets: bytes) -> Signed:
    """Raises CborError for another shape."""
    match read(octets, _SIGN1):
        case [bytes(protected), {**unprotected}, bytes(payload), bytes(signature)] if not unprotected:
            pass
        case _:
            raise CborError("no COSE_Sign1")
    match read(protected):
        case {1: -19, 4: bytes(key_id), **others} if not others and len(key_id) == _KID_SIZE:
            return Signed(protected, key_id, payload, signature)
    raise CborError("a protected header of another kind")


class Keys:
    """The public keys (raw, 32 octets each) whose signatures count."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        """Raises ValueError for what is no key."""
        self._keys = {hashlib.sha256(key).digest()[:_KID_SIZE]: Ed25519PublicKey.from_public_bytes(key) for key in keys}

    def signed(self, label: str, signed: Signed) -> bool:
        """Whether one of them signed it, for this purpose."""
        key = self._keys.get(signed.key_id)
        if key is None:
            return False
        external = array_item(text_item(label))
        to_be_signed = (text_item("Signature1"), *map(octets_item, (signed.protected, external, signed.payload)))
        try:
            key.verify(signed.signature, array_item(*to_be_signed))
        except InvalidSignature:
            return False
        return True

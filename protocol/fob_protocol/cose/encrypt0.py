"""COSE_Encrypt0 with AES-256-GCM (RFC 9052, section 5.2; RFC 9053, section 4.1)."""

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fob_protocol.cose.errors import SealError
from fob_protocol.cose.headers import Algorithm, Context, Parameter, Tag, join, protected_header, take_apart
from fob_protocol.cose.labels import Label
from fob_protocol.cose.structures import encrypt0_structure

IV_SIZE: Final = 12


def seal(key: bytes, iv: bytes, label: Label, context: Context, plaintext: bytes) -> bytes:
    """`key` has 32 octets; `iv` 12, never twice under one key."""
    protected = protected_header(Algorithm.AES_256_GCM, Parameter.IV, iv)
    associated = encrypt0_structure(protected, label, context)
    return join(Tag.ENCRYPT0, protected, AESGCM(key).encrypt(iv, plaintext, associated))


def unseal(key: bytes, label: Label, context: Context, sealed: bytes) -> tuple[bytes, bytes]:
    """The plaintext and its IV. Raises CoseError for another shape, SealError."""
    protected, iv, (ciphertext,) = take_apart(
        Tag.ENCRYPT0, sealed, Algorithm.AES_256_GCM, Parameter.IV, IV_SIZE, body=1
    )
    try:
        return AESGCM(key).decrypt(iv, ciphertext, encrypt0_structure(protected, label, context)), iv
    except InvalidTag:
        raise SealError("it does not open with this key") from None

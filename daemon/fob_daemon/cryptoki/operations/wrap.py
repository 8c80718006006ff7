"""C_WrapKey and C_UnwrapKey of secret session keys: by AES (RFC 3394, RFC 5649) and public keys on the PC, by private
keys with one request to the device."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from cryptography.hazmat.primitives import keywrap

from fob_daemon.cryptoki.interface import Output
from fob_daemon.cryptoki.key_use import KeyUse, require_key, require_key_type
from fob_daemon.cryptoki.login_state import LoginState
from fob_daemon.cryptoki.objects import StoredObject
from fob_daemon.cryptoki.operations.decrypt import decrypt_on_device
from fob_daemon.cryptoki.operations.encrypt import rsa_encryption
from fob_daemon.cryptoki.operations.rsa_padding import RSA_CIPHERS, encryption_padding
from fob_daemon.cryptoki.output import fits, fitted
from fob_daemon.cryptoki.secret_keys import secret_key, secret_template
from fob_daemon.cryptoki.templates import octets
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Ckk, Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

AES_WRAPS: Final = frozenset({Ckm.AES_KEY_WRAP, Ckm.AES_KEY_WRAP_PAD})

# With two keys in one call, the return value says whose fault it is (PKCS#11 v2.40 base, 5.13).
WRAPPING: Final = {
    Ckr.KEY_HANDLE_INVALID: Ckr.WRAPPING_KEY_HANDLE_INVALID,
    Ckr.KEY_TYPE_INCONSISTENT: Ckr.WRAPPING_KEY_TYPE_INCONSISTENT,
    Ckr.KEY_SIZE_RANGE: Ckr.WRAPPING_KEY_SIZE_RANGE,
}
UNWRAPPING: Final = {
    Ckr.KEY_HANDLE_INVALID: Ckr.UNWRAPPING_KEY_HANDLE_INVALID,
    Ckr.KEY_TYPE_INCONSISTENT: Ckr.UNWRAPPING_KEY_TYPE_INCONSISTENT,
    Ckr.KEY_SIZE_RANGE: Ckr.UNWRAPPING_KEY_SIZE_RANGE,
    Ckr.ENCRYPTED_DATA_INVALID: Ckr.WRAPPED_KEY_INVALID,
    Ckr.ENCRYPTED_DATA_LEN_RANGE: Ckr.WRAPPED_KEY_LEN_RANGE,
}


@contextmanager
def blaming(names: Mapping[Ckr, Ckr]) -> Iterator[None]:
    """Errors in the block go by the names that they have in this role."""
    try:
        yield
    except CkrError as error:
        raise CkrError(names.get(error.ckr, error.ckr), error.reason) from None


async def wrap_key(mechanism: Mechanism, wrapping: StoredObject, key: StoredObject, room: int | None) -> Output:
    """C_WrapKey. Raises CkrError."""
    with blaming(WRAPPING):
        _require_wrap(mechanism, wrapping)
        require_key(wrapping, Cka.WRAP, mechanism, Cko.PUBLIC_KEY, Cko.SECRET_KEY)
    value = _value_to_wrap(key)
    if mechanism.type in RSA_CIPHERS:
        with blaming(WRAPPING):
            encrypt, size, limit = rsa_encryption(mechanism, wrapping)
        if len(value) > limit:
            raise CkrError(Ckr.KEY_SIZE_RANGE, f"a key of {len(value)} octets, {limit} are possible")
        return await encrypt(value) if fits(size, room) else size
    kek = octets(wrapping.attributes, Cka.VALUE)
    wrap = keywrap.aes_key_wrap if mechanism.type == Ckm.AES_KEY_WRAP else keywrap.aes_key_wrap_with_padding
    try:
        return fitted(wrap(kek, value), room)
    except ValueError:
        raise CkrError(Ckr.KEY_SIZE_RANGE, "RFC 3394 wraps multiples of 8 octets from 16 on") from None


async def unwrap_key(
    mechanism: Mechanism, key: StoredObject, login: LoginState, wrapped: bytes, template: Attributes
) -> Attributes:
    """C_UnwrapKey: the attributes of the secret key. Raises CkrError."""
    wanted = secret_template(template)
    with blaming(UNWRAPPING):
        _require_wrap(mechanism, key)
        require_key(key, Cka.UNWRAP, mechanism, Cko.PRIVATE_KEY, Cko.SECRET_KEY)
        if mechanism.type in RSA_CIPHERS:
            encryption_padding(mechanism)
            value = await decrypt_on_device(mechanism, KeyUse.of(key, login), wrapped)
        else:
            value = _unwrap_by_aes(mechanism, key, wrapped)
    try:
        return secret_key(wanted, value)
    except CkrError:
        # No word on how long it was: that depends on the padding, which is nobody's business.
        raise CkrError(Ckr.WRAPPED_KEY_INVALID, "not a key of this type and length") from None


def _unwrap_by_aes(mechanism: Mechanism, key: StoredObject, wrapped: bytes) -> bytes:
    kek = octets(key.attributes, Cka.VALUE)
    unwrap = keywrap.aes_key_unwrap if mechanism.type == Ckm.AES_KEY_WRAP else keywrap.aes_key_unwrap_with_padding
    try:
        return unwrap(kek, wrapped)
    except (keywrap.InvalidUnwrap, ValueError):
        raise CkrError(Ckr.WRAPPED_KEY_INVALID, "not wrapped with this key") from None


def _value_to_wrap(key: StoredObject) -> bytes:
    if key.object_class != Cko.SECRET_KEY:
        raise CkrError(Ckr.KEY_UNEXTRACTABLE, "only secret session keys leave the token")
    if not key.says(Cka.EXTRACTABLE):
        raise CkrError(Ckr.KEY_UNEXTRACTABLE, "CKA_EXTRACTABLE is not set")
    if key.says(Cka.WRAP_WITH_TRUSTED):
        raise CkrError(Ckr.KEY_NOT_WRAPPABLE, "no wrapping key is trusted here")
    return octets(key.attributes, Cka.VALUE)


def _require_wrap(mechanism: Mechanism, key: StoredObject) -> None:
    """The mechanism wraps, and the key is of its type. Raises CkrError."""
    if mechanism.type in RSA_CIPHERS:
        require_key_type(key, Ckk.RSA)
        return
    if mechanism.type not in AES_WRAPS:
        raise CkrError(Ckr.MECHANISM_INVALID, f"mechanism {mechanism.type:#x} does not wrap")
    if mechanism.parameters not in (None, b""):
        raise CkrError(Ckr.MECHANISM_PARAM_INVALID, "only the IV of the RFC is offered")
    require_key_type(key, Ckk.AES)

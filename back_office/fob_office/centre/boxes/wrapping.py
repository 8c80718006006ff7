"""Keys that the steel box makes and other boxes use: in the database they stand only wrapped (M7, M9)."""

from collections.abc import Callable
from typing import Final

from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_protocol.cose import encrypt0
from fob_protocol.cose.cbor import Value
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label

# Of a token key, and of a user authentication key.
KEY_SIZE: Final = 32
# Behind a token key that signs: no key is good for codes and signatures both.
_PUBLIC: Final = b"\x01"


def wrap_token_key(
    vault: Vault, random: Callable[[int], bytes], serial: str, version: int, key: bytes, *, is_public: bool = False
) -> bytes:
    """For meter boxes. Raises NotHeldError."""
    kek = vault.derive(Purpose.TOKEN, serial, version)
    content = key + _PUBLIC if is_public else key
    return encrypt0.seal(kek, random(encrypt0.IV_SIZE), Label.INDICIUM_KEY, [serial, version], content)


def unwrap_token_key(vault: Vault, serial: str, version: int, wrapped: bytes) -> tuple[bytes, bool]:
    """32 octets, and whether tokens are signatures. Raises BusRefusedError TAMPERING, NotHeldError."""
    kek = vault.derive(Purpose.TOKEN, serial, version)
    try:
        content = encrypt0.unseal(kek, Label.INDICIUM_KEY, [serial, version], wrapped)[0]
    except CoseError as error:
        raise BusRefusedError(Word.TAMPERING, f"the token key: {error}") from None
    key, behind = content[:KEY_SIZE], content[KEY_SIZE:]
    if len(key) != KEY_SIZE or behind not in (b"", _PUBLIC):
        raise BusRefusedError(Word.TAMPERING, f"a token key of {len(content)} octets")
    return key, behind == _PUBLIC


def wrap_user_key(vault: Vault, random: Callable[[int], bytes], account: bytes, key: bytes) -> bytes:
    """For authentication boxes. Raises NotHeldError."""
    kek = vault.derive(Purpose.USER, account)
    return encrypt0.seal(kek, random(encrypt0.IV_SIZE), Label.USER_AUTHENTICATION_KEY, _wrapped(account), key)


def unwrap_user_key(vault: Vault, account: bytes, wrapped: bytes) -> bytes:
    """32 octets. Raises BusRefusedError TAMPERING, NotHeldError."""
    kek = vault.derive(Purpose.USER, account)
    try:
        return encrypt0.unseal(kek, Label.USER_AUTHENTICATION_KEY, _wrapped(account), wrapped)[0]
    except CoseError as error:
        raise BusRefusedError(Word.TAMPERING, f"the user authentication key: {error}") from None


def _wrapped(account: bytes) -> list[Value]:
    """Another context than that of the same key on its way to the device."""
    return ["wrapped", account]

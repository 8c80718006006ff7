"""Secrets at rest: AES-256-GCM, bound to the table, column and row that they stand in."""

from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fob_office.secrets.master_key import MasterKey
from fob_office.surroundings import Surroundings
from fob_protocol.cose.cbor import Value, encode
from fob_protocol.office.hashing import authenticate

# The first octet of what is sealed; another way to seal gets another one.
_FORMAT: Final = b"\x01"
_NONCE_SIZE: Final = 12


class Place(NamedTuple):
    """Where a secret stands: what was sealed for one row opens in no other. `row` is its primary key."""

    table: str
    column: str
    row: Value


class UnsealError(Exception):
    """What stands there was not sealed there under this master key: damaged, moved, or of another office."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"{place.table}.{place.column} does not open with this master key")


class Sealer:
    """Seals and opens under the master key."""

    def __init__(self, master_key: MasterKey, surroundings: Surroundings) -> None:
        self._aead = AESGCM(master_key.derived("at rest"))
        self._cookie_key = master_key.derived("cookies")
        self._random = surroundings.random

    def seal(self, place: Place, secret: bytes) -> bytes:
        """29 octets longer than the secret, and other ones each time."""
        nonce = self._random(_NONCE_SIZE)
        return _FORMAT + nonce + self._aead.encrypt(nonce, secret, _associated(place))

    def unseal(self, place: Place, sealed: bytes) -> bytes:
        """The secret. Raises UnsealError."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :]
        if sealed[:1] != _FORMAT or len(nonce) != _NONCE_SIZE:
            raise UnsealError(place)
        try:
            return self._aead.decrypt(nonce, ciphertext, _associated(place))
        except InvalidTag:
            raise UnsealError(place) from None

    def cookie(self, use: str, value: Value) -> bytes:
        """32 octets by which the office knows again what it gave out, without keeping it; one `use` opens no other."""
        return authenticate(self._cookie_key, [use, value])


def _associated(place: Place) -> bytes:
    return encode(["fob/1 at rest", *place])

"""The two keys that token keys are made of: the vendor's and the post's, and neither owner knows the other's (M8)."""

from enum import StrEnum
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Meta

from fob_office.centre.boxes.folder import BoxFolder
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_protocol.cose import hpke
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.values import KeyVersion, ValueKind
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import derive, is_same
from fob_protocol.office.message import Message, Octets32, read

FILE: Final = "owners"
# Keys of all value kinds and versions: two a year for each of a hundred kinds, for decades.
OWNERS_KEYS_LIMIT: Final = 10_000


class Owner(StrEnum):
    """Who gives a key."""

    VENDOR = "vendor"
    POSTAL = "postal"


class OwnersKey(Message, frozen=True):
    """What one owner gave for one version of a value kind."""

    owner: Owner
    value_kind: ValueKind
    version: KeyVersion
    secret: Octets32

    def __repr__(self) -> str:
        return f"OwnersKey({self.owner!r}, {self.value_kind!r}, {self.version}, ...)"


class _Book(Message, tag=1, frozen=True):
    keys: Annotated[tuple[OwnersKey, ...], Meta(max_length=OWNERS_KEYS_LIMIT)]


def seal_owners_key(box: bytes, key: OwnersKey) -> bytes:
    """As its owner does, for the steel box with this sealing key (its pass's). Raises SealError."""
    return hpke.seal_to(box, Label.OWNER_KEY, _context(key.owner, key.value_kind, key.version), key.secret)


class Owners:
    """All keys that were given to one box, sealed in its folder."""

    def __init__(self, folder: BoxFolder, private: X25519PrivateKey) -> None:
        """`private`: the sealing key of the box. Raises TamperedError."""
        self._folder = folder
        self._private = private
        self._keys: dict[tuple[str, str, int], OwnersKey] = {}
        if folder.has(FILE):
            self._keys = {_place(key): key for key in read(_Book, folder.read(FILE)).keys}
        self._newest: dict[str, int] = {}
        for key in self._keys.values():
            self._note(key)

    def give(self, owner: str, value_kind: str, version: int, sealed: bytes) -> None:
        """The same once more changes nothing. Raises BusRefusedError MALFORMED, KEY_GIVEN, UNAVAILABLE; OSError."""
        key = self._opened(owner, value_kind, version, sealed)
        known = self._keys.get(_place(key))
        if known is not None:
            if not is_same(known.secret, key.secret):
                raise BusRefusedError(Word.KEY_GIVEN, f"the {owner} key of {value_kind}, version {version}")
            return
        if len(self._keys) >= OWNERS_KEYS_LIMIT:
            raise BusRefusedError(Word.UNAVAILABLE, f"the box has {OWNERS_KEYS_LIMIT} keys, and keeps no more")
        keys = self._keys | {_place(key): key}
        self._folder.write(FILE, _Book(tuple(keys.values())).octets())
        self._keys = keys
        self._note(key)

    def newest(self, value_kind: str) -> int:
        """The highest version that both owners have begun. Raises BusRefusedError NO_KEYS."""
        version = self._newest.get(value_kind)
        if version is None:
            raise BusRefusedError(Word.NO_KEYS, "vendor and post have not both given a key for this value kind")
        return version

    @property
    def versions(self) -> tuple[tuple[str, int], ...]:
        """The same of each value kind."""
        return tuple(self._newest.items())

    def token_key(self, value_kind: str, version: int, serial: str) -> bytes:
        """Of a new meter, 32 octets: needs both (M8)."""
        vendor, postal = (self._keys[owner, value_kind, version].secret for owner in (Owner.VENDOR, Owner.POSTAL))
        return derive(vendor + postal, serial.encode(), ["fob/1 token key", version])

    def _opened(self, owner: str, value_kind: str, version: int, sealed: bytes) -> OwnersKey:
        try:
            secret = hpke.unseal_with(self._private, Label.OWNER_KEY, _context(owner, value_kind, version), sealed)
            key = OwnersKey(Owner(owner), value_kind, version, secret)
            return read(OwnersKey, key.octets())
        except (CoseError, OfficeError, ValueError):
            # Without what was sealed.
            raise BusRefusedError(Word.MALFORMED, "no key that its owner sealed to this box for this use") from None

    def _note(self, key: OwnersKey) -> None:
        if all((owner, key.value_kind, key.version) in self._keys for owner in Owner):
            self._newest[key.value_kind] = max(key.version, self._newest.get(key.value_kind, 0))


def _place(key: OwnersKey) -> tuple[str, str, int]:
    return key.owner, key.value_kind, key.version


def _context(owner: str, value_kind: str, version: int) -> list[str | int]:
    return [owner, value_kind, version]

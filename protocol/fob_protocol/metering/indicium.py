"""*indicium*: what was paid, by which meter, for whom, from where and when; and the token over it (M25 to M27)."""

import datetime
import unicodedata
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from fob_protocol.cose.cbor import Value, encode
from fob_protocol.office.hashing import authenticate, digest, is_same
from fob_protocol.office.message import Count, Message, Name, Number
from fob_protocol.office.patterns import SERIAL

# Octets of a token: nobody guesses 128 bits, and the picture stays small.
TOKEN_SIZE: Final = 16
# Of a token that strangers verify, Ed25519.
SIGNATURE_SIZE: Final = 64
# Characters of the address that a digest is made of: more than any label has.
ADDRESS_LIMIT: Final = 512
ADDRESSEE_SIZE: Final = 16

Serial = Annotated[str, Meta(pattern=SERIAL)]
# A postal code, or the name of a zone or country: what printers and scanners everywhere have letters for.
Place = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9](?:[A-Za-z0-9 .-]{0,30}[A-Za-z0-9])?\Z")]
AddresseeDigest = Annotated[bytes, Meta(min_length=ADDRESSEE_SIZE, max_length=ADDRESSEE_SIZE)]
# Of the calendar, as a number: 20261121.
Date = Annotated[int, Meta(ge=1970_01_01, le=9999_12_31)]
Token = Annotated[bytes, Meta(min_length=TOKEN_SIZE, max_length=SIGNATURE_SIZE)]

_LABEL: Final = "fob/1 indicium"
# Unicode's categories by their first letter: letters, marks and numbers are what an address says.
_SAYING: Final = "LMN"
_INVISIBLE: Final = "Cf"


class Indicium(Message, tag=1, frozen=True):
    """`piece`: its place in its batch, from 0; `amount`, `ascending` (after this piece): the value kind's smallest unit.

    Raises ValueError for a date that no calendar has.
    """

    serial: Serial
    counter: Count
    piece: Number
    amount: Count
    value_kind: Name
    date: Date
    origin: Place
    destination: Place
    addressee: AddresseeDigest
    mail_class: Name
    ascending: Count
    key_version: Count

    def __post_init__(self) -> None:
        """Raises ValueError."""
        day_of(self.date)


def day_of(date: int) -> datetime.date:
    """Raises ValueError for a number that is no date."""
    year, rest = divmod(date, 100_00)
    return datetime.date(year, *divmod(rest, 100))


def date_of(day: datetime.date) -> int:
    """As it stands in an indicium."""
    return (day.year * 100 + day.month) * 100 + day.day


def addressee_digest(address: str) -> bytes:
    """16 octets: the first of SHA-256 of the address as `normalised` gives it. Raises ValueError."""
    return digest(normalised(address).encode())[:ADDRESSEE_SIZE]


def normalised(address: str) -> str:
    """NFKC, case folded; invisible characters left out, all between letters and digits one space. Raises ValueError.

    So that an address is the same on the PC, where somebody typed it, and on the piece, where a machine reads it.
    """
    if len(address) > ADDRESS_LIMIT:
        raise ValueError(f"an address of {len(address)} characters; at most {ADDRESS_LIMIT}")
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", address).casefold())
    seen = (character for character in folded if unicodedata.category(character) != _INVISIBLE)
    words = "".join(character if unicodedata.category(character)[0] in _SAYING else " " for character in seen).split()
    if not words:
        raise ValueError("an address has letters or digits")
    return " ".join(words)


def make_token(key: bytes, indicium: Indicium) -> bytes:
    """TOKEN_SIZE octets, under the meter's token key."""
    return authenticate(key, _content(indicium))[:TOKEN_SIZE]


def is_token(key: bytes, indicium: Indicium, token: bytes) -> bool:
    """Whether it is that key's for this indicium; in constant time."""
    return is_same(make_token(key, indicium), token)


def sign_token(key: Ed25519PrivateKey, indicium: Indicium) -> bytes:
    """SIGNATURE_SIZE octets, for value kinds that strangers verify."""
    return key.sign(encode(_content(indicium)))


def is_signed_token(key: bytes, indicium: Indicium, token: bytes) -> bool:
    """Whether it is that key's (raw public key, 32 octets) for this indicium."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(token, encode(_content(indicium)))
    except InvalidSignature:
        return False
    return True


def _content(indicium: Indicium) -> list[Value]:
    return [_LABEL, msgspec.to_builtins(indicium, builtin_types=(bytes,))]

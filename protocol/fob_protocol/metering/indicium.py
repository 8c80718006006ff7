"""*indicium*: what was paid, by which meter, for whom, from where and when; and the token over it (M25 to M27)."""

import datetime
import re
import unicodedata
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from fob_protocol.cose.cbor import Value, encode
from fob_protocol.metering.limits import ADDRESS_LIMIT, POSTCODE_LIMIT, TOKEN_LIMIT, TOKEN_SIZE
from fob_protocol.metering.values import Charge, Indicated, KeyVersion, Postcode, Serial, ValueKind
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import authenticate, digest, is_same
from fob_protocol.office.message import Count, Message, Name, Number, read

ADDRESSEE_SIZE: Final = 16

AddresseeDigest = Annotated[bytes, Meta(min_length=ADDRESSEE_SIZE, max_length=ADDRESSEE_SIZE)]
# Of the calendar, as a number: 20261121.
Date = Annotated[int, Meta(ge=1970_01_01, le=9999_12_31)]

# A postal code, or the name of a zone or country: what every printer has letters for.
_PLACE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 .-]*[A-Za-z0-9])?", re.ASCII)
_LABEL: Final = "fob/1 indicium"
# Unicode's categories by their first letter: letters, marks and numbers are what an address says.
_SAYING: Final = "LMN"
_INVISIBLE: Final = "Cf"


class Indicium(Message, tag=1, frozen=True):
    """`piece`: its place in its batch, from 0; `amount`, and `ascending` after it, in the value kind's smallest unit.

    Raises ValueError for a date that no calendar has, and for places that `is_place` refuses.
    """

    serial: Serial
    counter: Count
    piece: Number
    amount: Charge
    value_kind: ValueKind
    date: Date
    origin: Postcode
    destination: Postcode
    addressee: AddresseeDigest
    mail_class: Name
    ascending: Count
    key_version: KeyVersion

    def __post_init__(self) -> None:
        """Raises ValueError."""
        day_of(self.date)
        if not (is_place(self.origin) and is_place(self.destination)):
            raise ValueError("a place is letters and digits of ASCII, with blanks, dots and dashes between")


def read_indicium(indicated: Indicated) -> Indicium:
    """Nothing is said of whether it is genuine. Raises OfficeError MALFORMED, also for a token of neither size."""
    if len(indicated.token) not in (TOKEN_SIZE, TOKEN_LIMIT):
        raise OfficeError(Fault.MALFORMED, f"a token of {len(indicated.token)} octets")
    return read(Indicium, indicated.indicium)


def is_place(text: str) -> bool:
    """Whether it may stand in an indicium as origin or destination: `20095`, `SW1A 1AA`, `europe`."""
    return len(text) <= POSTCODE_LIMIT and _PLACE.fullmatch(text) is not None


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
    """Without invisible characters, NFKC, case folded; all between letters and digits is one space. Raises ValueError.

    So that an address is the same on the PC, where somebody typed it, and on the piece, where a machine reads it.
    """
    if len(address) > ADDRESS_LIMIT:
        raise ValueError(f"an address of {len(address)} characters; at most {ADDRESS_LIMIT}")
    seen = "".join(character for character in address if unicodedata.category(character) != _INVISIBLE)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
    words = "".join(character if unicodedata.category(character)[0] in _SAYING else " " for character in folded).split()
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
    """64 octets, for value kinds that strangers verify."""
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

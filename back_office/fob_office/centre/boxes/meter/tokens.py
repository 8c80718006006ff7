"""Steps c and f of the transaction: the meter's token key, indicia and their tokens (M7, M9, M16, M26, M27)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Final, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_office.centre.boxes.vault import Vault
from fob_office.centre.boxes.wrapping import unwrap_token_key
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.meter import Made
from fob_office.centre.words import Word
from fob_protocol.cose import cbor
from fob_protocol.cose.errors import CborError
from fob_protocol.metering.indicium import Indicium, date_of, is_signed_token, is_token, make_token, sign_token
from fob_protocol.metering.limits import BATCH_LIMIT
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.requests import Piece
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import derive
from fob_protocol.office.message import read

_SIGNATURE: Final = "fob/1 token signature"

_Pieces = Annotated[tuple[Piece, ...], Meta(min_length=1, max_length=BATCH_LIMIT)]


class TokenKey(Protocol):
    """Of one meter: what its value kind has for a token."""

    def make(self, indicium: Indicium) -> bytes:
        """Always the same of the same indicium."""

    def is_mine(self, indicium: Indicium, token: bytes) -> bool:
        """Whether this key made it."""


@dataclass(frozen=True, slots=True)
class CodeKey:
    """Tokens are codes, which only meter boxes verify. TokenKey."""

    secret: bytes = field(repr=False)

    def make(self, indicium: Indicium) -> bytes:
        """TOKEN_SIZE octets."""
        return make_token(self.secret, indicium)

    def is_mine(self, indicium: Indicium, token: bytes) -> bool:
        """In constant time."""
        return is_token(self.secret, indicium, token)


@dataclass(frozen=True, slots=True)
class SignatureKey:
    """Tokens are signatures, which strangers verify (M16). TokenKey."""

    private: Ed25519PrivateKey = field(repr=False)

    def make(self, indicium: Indicium) -> bytes:
        """64 octets."""
        return sign_token(self.private, indicium)

    def is_mine(self, indicium: Indicium, token: bytes) -> bool:
        """By the public key."""
        return is_signed_token(self.public, indicium, token)

    @property
    def public(self) -> bytes:
        """Raw, 32 octets."""
        return self.private.public_key().public_bytes_raw()


def unwrap(vault: Vault, record: MeterRecord) -> TokenKey:
    """Its token key. Raises BusRefusedError TAMPERING."""
    secret, is_public = unwrap_token_key(vault, record.serial, record.key_version, record.token_key)
    if not is_public:
        return CodeKey(secret)
    seed = derive(secret, record.serial.encode(), [_SIGNATURE, record.key_version])
    return SignatureKey(Ed25519PrivateKey.from_private_bytes(seed))


def read_pieces(octets: bytes) -> tuple[Piece, ...]:
    """What is to be franked, each piece with its origin. Raises BusRefusedError MALFORMED."""
    try:
        pieces = msgspec.convert(cbor.decode(octets), _Pieces)
    except (CborError, msgspec.ValidationError) as error:
        raise BusRefusedError(Word.MALFORMED, f"no pieces: {error}") from None
    if any(piece.origin is None for piece in pieces):
        raise BusRefusedError(Word.MALFORMED, "a piece without an origin")
    return pieces


def indicia_of(pieces: Sequence[Piece], before: MeterRecord, after: MeterRecord, now: int) -> tuple[Indicium, ...]:
    """What the pieces of one transaction show, in their order. Raises BusRefusedError MALFORMED."""
    date = date_of(datetime.fromtimestamp(now, UTC).date())
    ascending = before.registers.ascending
    indicia = []
    for number, piece in enumerate(pieces):
        ascending += piece.amount
        try:
            indicium = Indicium(
                serial=after.serial,
                counter=after.registers.counter,
                piece=number,
                amount=piece.amount,
                value_kind=after.value_kind,
                date=date,
                origin=piece.origin or "",
                destination=piece.destination,
                addressee=piece.addressee,
                mail_class=piece.mail_class,
                ascending=ascending,
                key_version=after.key_version,
            )
        except ValueError as error:
            raise BusRefusedError(Word.MALFORMED, f"piece {number}: {error}") from None
        indicia.append(indicium)
    return tuple(indicia)


def with_tokens(key: TokenKey, indicia: Iterable[Indicium], octets: Iterable[bytes]) -> tuple[Made, ...]:
    """The same for the same indicia; `octets` are theirs."""
    return tuple(Made(each, key.make(indicium)) for indicium, each in zip(indicia, octets, strict=True))


def genuine(key: TokenKey, record: MeterRecord, made: Made) -> Indicium | None:
    """The indicium, if this meter made it."""
    try:
        indicium = read(Indicium, made.indicium)
    except OfficeError:
        return None
    is_of_meter = (indicium.serial, indicium.key_version) == (record.serial, record.key_version)
    return indicium if is_of_meter and key.is_mine(indicium, made.token) else None

"""Steps c and f of the transaction: the meter's token key, indicia and their tokens (M7, M9, M26, M27)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.meter import Made
from fob_office.centre.words import Word
from fob_protocol.cose import cbor, encrypt0
from fob_protocol.cose.errors import CborError, CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.indicium import Indicium, date_of, is_token, make_token
from fob_protocol.metering.limits import BATCH_LIMIT
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.requests import Piece
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

_Pieces = Annotated[tuple[Piece, ...], Meta(min_length=1, max_length=BATCH_LIMIT)]


def unwrap(vault: Vault, record: MeterRecord) -> bytes:
    """Its token key, 32 octets. Raises BusRefusedError TAMPERING."""
    kek = vault.derive(Purpose.TOKEN, record.serial, record.key_version)
    context: list[cbor.Value] = [record.serial, record.key_version]
    try:
        return encrypt0.unseal(kek, Label.INDICIUM_KEY, context, record.token_key)[0]
    except CoseError as error:
        raise BusRefusedError(Word.TAMPERING, f"the token key: {error}") from None


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


def with_tokens(key: bytes, indicia: Iterable[Indicium], octets: Iterable[bytes]) -> tuple[Made, ...]:
    """The same for the same indicia; `octets` are theirs."""
    return tuple(Made(each, make_token(key, indicium)) for indicium, each in zip(indicia, octets, strict=True))


def genuine(key: bytes, record: MeterRecord, made: Made) -> Indicium | None:
    """The indicium, if this meter made it."""
    try:
        indicium = read(Indicium, made.indicium)
    except OfficeError:
        return None
    is_of_meter = (indicium.serial, indicium.key_version) == (record.serial, record.key_version)
    return indicium if is_of_meter and is_token(key, indicium, made.token) else None

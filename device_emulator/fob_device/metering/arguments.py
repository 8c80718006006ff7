"""What a PC says of orders, checked before anybody is asked. All raise AtSyntaxError, or CkrError ARGUMENTS_BAD."""

import re
from typing import Final

from fob_device.metering.rating import Weighed
from fob_device.metering.wanted import WantedPiece
from fob_device.security.values import octets, text, whole
from fob_protocol.at.values import Value, Values
from fob_protocol.errors import AtSyntaxError
from fob_protocol.metering.indicium import Indicium, addressee_digest, is_place
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.limits import AMOUNT_LIMIT, BATCH_LIMIT, LOGIN_NAME_LIMIT, ORIGINS_LIMIT, RATES_LIMIT
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import Piece
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read
from fob_protocol.office.patterns import NAME
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

ORDER_SIZE: Final = 16
PIECE_VALUES: Final = 7
WEIGHED_VALUES: Final = 3


def order_id(value: Value) -> bytes:
    """16 octets."""
    order = octets(value)
    if len(order) != ORDER_SIZE:
        raise AtSyntaxError(f"an order has {ORDER_SIZE} octets")
    return order


def amount(value: Value) -> int:
    """Of money: something, and no more than there may be."""
    number = whole(value)
    if not 1 <= number <= AMOUNT_LIMIT:
        raise _bad(f"an amount is 1 to {AMOUNT_LIMIT}")
    return number


def payment(value: Value) -> Payment:
    """When a mailer pays."""
    number = whole(value)
    if number not in set(Payment):
        raise _bad(f"no payment {number}")
    return Payment(number)


def check_names(name: str, value_kind: str | None = None) -> None:
    """Of who signs up or on, and for what."""
    if not 1 <= len(name) <= LOGIN_NAME_LIMIT:
        raise _bad(f"a name has 1 to {LOGIN_NAME_LIMIT} characters")
    if value_kind is not None and re.fullmatch(NAME, value_kind) is None:
        raise _bad("a value kind is small letters, digits, dots and dashes")


def refill(below: Value, by: Value) -> Refill | None:
    """Both or none."""
    if below is None and by is None:
        return None
    return Refill(amount(below), amount(by))


def origins(values: Values) -> tuple[str, ...]:
    """1 to ORIGINS_LIMIT places."""
    if not 1 <= len(values) <= ORIGINS_LIMIT:
        raise _bad(f"1 to {ORIGINS_LIMIT} origins")
    return tuple(_place(value) for value in values)


def unused(indicium: Value, token: Value, money: int | None) -> Indicated | None:
    """An indicium to give back: that, or an amount."""
    if (indicium is None) != (token is None) or (indicium is None) == (money is None):
        raise _bad("an amount, or an indicium with its token")
    if indicium is None:
        return None
    try:
        indicated = read(Indicated, Indicated(octets(indicium), octets(token)).octets())
        read(Indicium, indicated.indicium)
    except OfficeError as error:
        raise _bad(error.why) from None
    return indicated


def wanted_pieces(values: Values) -> tuple[WantedPiece, ...]:
    """1 to BATCH_LIMIT, of PIECE_VALUES each; what is absent at the end of a line is not sent."""
    values += (None,) * (-len(values) % PIECE_VALUES)
    if not 1 <= len(values) // PIECE_VALUES <= BATCH_LIMIT:
        raise AtSyntaxError(f"1 to {BATCH_LIMIT} pieces of {PIECE_VALUES} values")
    return tuple(_piece(values[start : start + PIECE_VALUES]) for start in range(0, len(values), PIECE_VALUES))


def weighed(values: Values) -> tuple[Weighed, ...]:
    """1 to RATES_LIMIT, of grams, class and zone each."""
    if len(values) % WEIGHED_VALUES or not 1 <= len(values) // WEIGHED_VALUES <= RATES_LIMIT:
        raise AtSyntaxError(f"1 to {RATES_LIMIT} of {WEIGHED_VALUES} values")
    return tuple(
        Weighed(whole(values[start]), text(values[start + 1]), text(values[start + 2]))
        for start in range(0, len(values), WEIGHED_VALUES)
    )


def _piece(values: Values) -> WantedPiece:
    grams, service, zone, given, destination, address, origin = values
    if (grams is None) == (given is None) or (grams is None) != (zone is None):
        raise _bad("a piece has grams and zone, or an amount")
    mail_class = text(service)
    weighed = None if grams is None else Weighed(whole(grams), mail_class, text(zone))
    piece = WantedPiece(
        weighed,
        0 if given is None else amount(given),
        _place(destination),
        text(address),
        None if origin is None else _place(origin),
        mail_class,
    )
    _check(piece)
    return piece


def _check(piece: WantedPiece) -> None:
    try:
        addressee = addressee_digest(piece.address)
        read(Piece, Piece(piece.amount or 1, piece.destination, addressee, piece.origin, piece.mail_class).octets())
    except OfficeError as error:
        raise _bad(error.why) from None
    except ValueError as error:
        raise _bad(str(error)) from None


def _place(value: Value) -> str:
    place = text(value)
    if not is_place(place):
        raise _bad("a place is letters and digits of ASCII, with blanks, dots and dashes between")
    return place


def _bad(why: str) -> CkrError:
    return CkrError(Ckr.ARGUMENTS_BAD, why)

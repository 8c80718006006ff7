"""The page about the mailer's meter."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fob_device.overview.meter import MeterDeed, MeterEnded, MeterOverview, ShownPiece, ShownTerms
from fob_device.screen.web.views.details import Detail
from fob_device.screen.web.views.refusals import sentence
from fob_device.screen.web.words import clock, first_upper
from fob_protocol.metering.indicium import day_of
from fob_protocol.metering.kinds import MeterState, Payment
from fob_protocol.metering.limits import LOGIN_NAME_LIMIT, PASSWORD_LEAST, PASSWORD_LIMIT
from fob_protocol.names import plain_name

STATES: Final = {
    MeterState.ACTIVE: "Ready to frank",
    MeterState.STOPPED: "Stopped",
    MeterState.WITHDRAWN: "Withdrawn",
}
PAYMENTS: Final = {
    Payment.PREPAID: "Paid before",
    Payment.POSTPAID: "Paid afterwards",
    Payment.PER_USE: "Paid at each use",
}
_DOING: Final = {
    MeterDeed.TERMS: "Asking what a meter costs",
    MeterDeed.SIGN_UP: "Signing up",
    MeterDeed.SIGN_ON: "Signing on",
    MeterDeed.LOOK: "Asking about the meter",
}
_ENDED: Final = {
    MeterDeed.SIGN_UP: "You have a meter.",
    MeterDeed.SIGN_ON: "This phone franks from now on.",
    MeterDeed.LOOK: "The data centre was asked, and what it says is right.",
}


@dataclass(frozen=True, slots=True)
class PieceItem:
    """A line: what it cost, and where it goes."""

    title: str
    words: str
    date: str


@dataclass(frozen=True, slots=True)
class PaymentChoice:
    """When to pay; `value` is what the form sends."""

    value: str
    title: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class SignUpForm:
    """What is filled in."""

    value_kinds: Sequence[str]
    payments: Sequence[PaymentChoice]
    words: str


@dataclass(frozen=True, slots=True)
class MeterPage:
    """`trouble` is a sentence: what is wrong; `fault` too, where nothing is franked for it."""

    title: str
    funds: str
    words: str
    fault: str
    trouble: str
    said: str
    order: str
    may_ask: bool
    may_give_up: bool
    has_meter: bool
    pieces: Sequence[PieceItem]
    details: Sequence[Detail]
    allowance: int
    form: SignUpForm | None
    name: str
    name_limit: int
    password_least: int
    password_limit: int


def meter_page(meter: MeterOverview, *, is_connected: bool) -> MeterPage:
    """As it is now. `is_connected`: a computer is there."""
    doing = _DOING[meter.doing] if meter.doing else ""
    waits = " No computer is connected; it goes on as soon as one is." if doing and not is_connected else ""
    ended = meter.ended
    return MeterPage(
        title=_title(meter),
        funds=meter.registers.descending if meter.registers else "",
        words=f"{doing}.{waits}" if doing else "",
        fault=sentence(meter.fault) if meter.fault else "",
        trouble=_trouble(ended) if ended and ended.refusal else "",
        said=_said(ended) if ended and not ended.refusal else "",
        order=_order(meter),
        may_ask=meter.doing is None,
        may_give_up=meter.doing is not None or meter.terms is not None,
        has_meter=meter.registers is not None,
        pieces=tuple(map(_piece, meter.last)),
        details=tuple(_details(meter)),
        allowance=meter.allowance,
        form=_form(meter.terms) if meter.terms and meter.doing is None else None,
        name=meter.name,
        name_limit=LOGIN_NAME_LIMIT,
        password_least=PASSWORD_LEAST,
        password_limit=PASSWORD_LIMIT,
    )


def meter_line(meter: MeterOverview) -> str:
    """For the first page."""
    if meter.fault:
        return sentence(meter.fault)
    return f"{meter.registers.descending} left" if meter.registers else _title(meter)


def _title(meter: MeterOverview) -> str:
    if meter.registers is None:
        return "No meter yet" if meter.stage == "none" else "Signing up or on was not answered yet"
    if meter.fault:
        return "Nothing is franked"
    return STATES[MeterState(meter.state)] if meter.state else "Signed on"


def _order(meter: MeterOverview) -> str:
    if not meter.order:
        return ""
    what = first_upper(plain_name(meter.order, len(meter.order)))
    return f"{what}: {'not answered yet' if meter.is_asking else 'a computer is to take it'}."


def _trouble(ended: MeterEnded) -> str:
    return f"{_at(ended.at)}: {sentence(ended.refusal)}"


def _said(ended: MeterEnded) -> str:
    words = _ENDED.get(ended.deed, "")
    return f"{_at(ended.at)}: {words}" if words else ""


def _at(seconds: float) -> str:
    return clock(datetime.fromtimestamp(seconds).astimezone())


def _piece(piece: ShownPiece) -> PieceItem:
    words = f"{first_upper(plain_name(piece.mail_class))} to {plain_name(piece.destination)}"
    return PieceItem(piece.amount, words, day_of(piece.date).isoformat())


def _details(meter: MeterOverview) -> Iterator[Detail]:
    registers = meter.registers
    if registers is None:
        return
    pieces = "1 piece" if registers.pieces == 1 else f"{registers.pieces} pieces"
    yield Detail("Franked so far", f"{registers.ascending}, {pieces}")
    if registers.owed:
        yield Detail("Owed", registers.owed)
    if meter.payment:
        yield Detail("Payment", PAYMENTS[Payment(meter.payment)])
    if meter.origins:
        yield Detail("Posted at", ", ".join(map(plain_name, meter.origins)))
    yield Detail("Signed on as", plain_name(meter.name))
    yield Detail("Meter", meter.serial, is_code=True)
    yield Detail("Counter", str(registers.counter))


def _form(terms: ShownTerms) -> SignUpForm:
    payments = (
        PaymentChoice(str(int(payment)), title, payment is Payment.PREPAID) for payment, title in PAYMENTS.items()
    )
    words = f"At least {terms.deposit} is loaded at once."
    if terms.fee:
        words += f" Signing up costs {terms.fee_words}, paid with the first payment."
    return SignUpForm(terms.value_kinds, tuple(payments), words)

"""What is asked of the control socket about meters. No I/O in here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from fob_daemon.control import limits
from fob_daemon.control.fields import Fields, bad_request
from fob_daemon.control.route import Route
from fob_daemon.metering.limits import GRAMS_LIMIT, RATE_COMMAND
from fob_protocol.metering.limits import ADDRESS_LIMIT, AMOUNT_LIMIT, LOGIN_NAME_LIMIT, ORIGINS_LIMIT, POSTCODE_LIMIT
from fob_protocol.office.limits import ID_LIMIT

if TYPE_CHECKING:
    from fob_daemon.metering.views import Piece, SignUp

# Pieces of one body, which are added to a batch.
PIECES_LIMIT: Final = 256


class PaymentName(StrEnum):
    """When a mailer pays (docs/meter-protocol.md, section 3), as the API spells it."""

    PREPAID = "prepaid"
    POSTPAID = "postpaid"
    PER_USE = "per-use"

    @property
    def number(self) -> int:
        """What it stands for."""
        return list(PaymentName).index(self) + 1


@dataclass(frozen=True, slots=True)
class _OfMeter:
    """A request about one device's meter."""

    device: str


@dataclass(frozen=True, slots=True)
class _Unlocking(_OfMeter):
    """One that may need a PIN."""

    pin: bytes | None = field(repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class GetMeters:
    """GET meters: what devices told last; no round trip."""


@dataclass(frozen=True, slots=True)
class GetMeter(_OfMeter):
    """GET devices/{device}/meter"""


@dataclass(frozen=True, slots=True)
class GetTerms(_OfMeter):
    """GET devices/{device}/meter/terms"""


@dataclass(frozen=True, slots=True)
class GetAbout(_Unlocking):
    """POST devices/{device}/meter/about: it may need a PIN."""


@dataclass(frozen=True, slots=True)
class JoinMeter(_Unlocking):
    """POST devices/{device}/meter/sign-up or /sign-on; the latter when there is a name only."""

    name: str
    wanted: "SignUp | None"
    replaces: bool


@dataclass(frozen=True, slots=True)
class GetMeterHistory(_Unlocking):
    """POST devices/{device}/meter/history: it may need a PIN."""

    after: int


@dataclass(frozen=True, slots=True)
class LoadMeter(_Unlocking):
    """POST devices/{device}/meter/loads"""

    amount: int


@dataclass(frozen=True, slots=True)
class RefundMeter(_Unlocking):
    """POST devices/{device}/meter/refunds; an amount, or an indicium of a transaction that is told."""

    amount: int | None
    counter: int
    piece: int


@dataclass(frozen=True, slots=True)
class TakeOver(_Unlocking):
    """POST devices/{device}/meter/take-over"""


@dataclass(frozen=True, slots=True)
class ListJobs(_OfMeter):
    """GET devices/{device}/meter/jobs"""


@dataclass(frozen=True, slots=True)
class BeginJob(_Unlocking):
    """POST devices/{device}/meter/jobs"""

    command: str


@dataclass(frozen=True, slots=True)
class AddPieces(_OfMeter):
    """POST devices/{device}/meter/jobs/{job}/pieces; `cleanse`: addresses are written by the device's component."""

    job: int
    pieces: "tuple[Piece, ...]" = field(repr=False)
    cleanse: bool


@dataclass(frozen=True, slots=True)
class FrankJob(_Unlocking):
    """POST devices/{device}/meter/jobs/{job}/franking; answered by a stream. Job 0: the one that was cut.

    `judges`: a single piece is rated before it is paid, as those of a batch are.
    """

    job: int
    judges: bool = False


@dataclass(frozen=True, slots=True)
class GiveUpJob(_Unlocking):
    """DELETE devices/{device}/meter/jobs: the one that was cut; or /jobs/{job}."""

    job: int


@dataclass(frozen=True, slots=True)
class ListFranked(_OfMeter):
    """GET devices/{device}/meter/franked; of one batch, or of all for 0."""

    job: int


@dataclass(frozen=True, slots=True)
class GetFranked(_OfMeter):
    """GET devices/{device}/meter/franked/{counter}; of the device's meter where no serial is said."""

    counter: int
    serial: str


@dataclass(frozen=True, slots=True)
class GetAppearance(_OfMeter):
    """GET devices/{device}/meter/appearance"""


MeterRequest = (
    GetMeters | GetMeter | GetTerms | GetAbout | JoinMeter | GetMeterHistory | LoadMeter | RefundMeter | TakeOver
    | ListJobs | BeginJob | AddPieces | GiveUpJob | ListFranked | GetFranked | GetAppearance
)  # fmt: skip


def _device(path: Mapping[str, str]) -> str:
    return Fields((("device", path["device"]),)).name("device", limits.MAX_NAME)


def _number(path: Mapping[str, str], what: str) -> int:
    return Fields(((what, path[what]),)).number(what, 0, limits.MAX_SEQUENCE)


def _pin(body: Fields) -> bytes | None:
    return body.optional_secret("pin", limits.MAX_PIN)


def _sign_up(path: Mapping[str, str], body: Fields) -> JoinMeter:
    from fob_daemon.metering.views import SignUp

    name = body.name("name", LOGIN_NAME_LIMIT)
    below = body.optional_positive("refill_below", AMOUNT_LIMIT)
    amount = body.optional_positive("refill_amount", AMOUNT_LIMIT)
    if (below is None) != (amount is None):
        raise bad_request("'refill_below' and 'refill_amount' stand together")
    wanted = SignUp(
        name,
        body.name("value_kind", ID_LIMIT),
        body.choice("payment", PaymentName).number,
        below,
        amount,
        body.names("origins", ORIGINS_LIMIT, POSTCODE_LIMIT),
    )
    return JoinMeter(_device(path), name, wanted, body.flag("replace"), pin=_pin(body))


def _refund(path: Mapping[str, str], body: Fields) -> RefundMeter:
    amount = body.optional_positive("amount", AMOUNT_LIMIT)
    if amount is not None:
        return RefundMeter(_device(path), amount, 0, 0, pin=_pin(body))
    return RefundMeter(
        _device(path), None, body.whole("counter", limits.MAX_SEQUENCE), body.whole("piece", 255), pin=_pin(body)
    )


def _add(path: Mapping[str, str], body: Fields) -> AddPieces:
    pieces = tuple(_piece(one) for one in body.objects("pieces", PIECES_LIMIT))
    return AddPieces(_device(path), _number(path, "job"), pieces, body.flag("cleanse"))


def _piece(fields: Fields) -> "Piece":
    # Loaded for who asks.
    from fob_daemon.metering.views import Piece

    piece = Piece(
        fields.name("destination", POSTCODE_LIMIT),
        fields.name("address", ADDRESS_LIMIT),
        fields.name("service", ID_LIMIT),
        fields.optional_positive("grams", GRAMS_LIMIT),
        fields.optional_name("zone", ID_LIMIT),
        fields.optional_positive("amount", AMOUNT_LIMIT),
        fields.optional_name("origin", POSTCODE_LIMIT),
    )
    fields.end()
    return piece


METER_ROUTES: Final = (
    Route("GET", "meters", lambda path, query: GetMeters()),
    Route("GET", "devices/{device}/meter", lambda path, query: GetMeter(_device(path))),
    Route("GET", "devices/{device}/meter/terms", lambda path, query: GetTerms(_device(path))),
    Route("POST", "devices/{device}/meter/about", lambda path, body: GetAbout(_device(path), pin=_pin(body))),
    Route("POST", "devices/{device}/meter/sign-up", _sign_up),
    Route(
        "POST",
        "devices/{device}/meter/sign-on",
        lambda path, body: JoinMeter(
            _device(path), body.name("name", LOGIN_NAME_LIMIT), None, body.flag("replace"), pin=_pin(body)
        ),
    ),
    Route(
        "POST",
        "devices/{device}/meter/history",
        lambda path, body: GetMeterHistory(_device(path), body.whole("after", limits.MAX_SEQUENCE), pin=_pin(body)),
    ),
    Route(
        "POST",
        "devices/{device}/meter/loads",
        lambda path, body: LoadMeter(_device(path), body.positive("amount", AMOUNT_LIMIT), pin=_pin(body)),
    ),
    Route("POST", "devices/{device}/meter/refunds", _refund),
    Route("POST", "devices/{device}/meter/take-over", lambda path, body: TakeOver(_device(path), pin=_pin(body))),
    Route("GET", "devices/{device}/meter/jobs", lambda path, query: ListJobs(_device(path))),
    Route(
        "POST",
        "devices/{device}/meter/jobs",
        lambda path, body: BeginJob(_device(path), body.optional_name("command", 16) or RATE_COMMAND, pin=_pin(body)),
    ),
    Route("DELETE", "devices/{device}/meter/jobs", lambda path, body: GiveUpJob(_device(path), 0, pin=_pin(body))),
    Route(
        "DELETE",
        "devices/{device}/meter/jobs/{job}",
        lambda path, body: GiveUpJob(_device(path), _number(path, "job"), pin=_pin(body)),
    ),
    Route("POST", "devices/{device}/meter/jobs/{job}/pieces", _add),
    Route(
        "POST",
        "devices/{device}/meter/jobs/{job}/franking",
        lambda path, body: FrankJob(_device(path), _number(path, "job"), body.flag("judge"), pin=_pin(body)),
    ),
    Route(
        "GET",
        "devices/{device}/meter/franked",
        lambda path, query: ListFranked(_device(path), query.number("job", 0, limits.MAX_SEQUENCE)),
    ),
    Route(
        "GET",
        "devices/{device}/meter/franked/{counter}",
        lambda path, query: GetFranked(
            _device(path), _number(path, "counter"), query.optional_name("serial", ID_LIMIT) or ""
        ),
    ),
    Route("GET", "devices/{device}/meter/appearance", lambda path, query: GetAppearance(_device(path))),
)

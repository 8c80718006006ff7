"""What a PC orders of the meter, and what the data centre will be asked for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from fob_device.approval.questions import Operation
from fob_device.metering.rating import FREE, RATE_COMMAND, Rated, Rates, Weighed
from fob_device.metering.words import fee_words, frank_words, load_words, refund_words
from fob_protocol.cose.cbor import Value, encode
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.metering.indicium import Indicium, addressee_digest
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.mailer import Mailer, Order
from fob_protocol.metering.requests import FrankRequest, LoadRequest, Piece, RefundRequest
from fob_protocol.metering.values import Indicated
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# The device's signature over a ticket, for the request with this id.
Present = Callable[[Presentation, bytes], bytes]
# Of a meter of which the device has not heard what it counts.
UNITS: Final = "units"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the person is asked about: `words`, `amount` in the least unit. `make` gives the request of an id and time.

    `integrity_value`: of the component that computed it, empty for none (X6). `fee`: for signing up, due with it (M30).
    """

    operation: Operation
    words: str
    amount: int
    make: Callable[[bytes, int], Order] = field(repr=False)
    integrity_value: bytes = b""
    fee: int = 0


class Wanted(Protocol):
    """One order, by the id that the PC gave it."""

    @property
    def order(self) -> bytes:
        """16 octets."""

    @property
    def serial(self) -> str | None:
        """Of the meter that it is for; None: of whichever there is."""

    def is_placed(self, mailer: Mailer) -> bool:
        """Whether the mailer posts wherever it says."""

    def octets(self) -> bytes:
        """All that was asked for, so that the same order is known again."""

    async def plan(self, mailer: Mailer, rates: Rates, present: Present) -> Plan:
        """What it comes to now. Raises what rates raise, OfficeError."""


@dataclass(frozen=True, slots=True)
class WantedPiece:
    """`weighed` is rated here; None: the `amount` is the computer's. `mail_class` stands in the indicium."""

    weighed: Weighed | None
    amount: int
    destination: str
    address: str
    origin: str | None
    mail_class: str


@dataclass(frozen=True, slots=True)
class WantedFrank:
    """Indicia for these pieces, all or none."""

    order: bytes
    command: str
    pieces: Sequence[WantedPiece]
    serial: str | None = None

    def is_placed(self, mailer: Mailer) -> bool:
        """Each of them."""
        return all(piece.origin is None or piece.origin in mailer.origins for piece in self.pieces)

    def octets(self) -> bytes:
        """Of all that the computer said."""
        return encode(["frank", self.command, self.serial, [_piece_values(piece) for piece in self.pieces]])

    async def plan(self, mailer: Mailer, rates: Rates, present: Present) -> Plan:
        """Rated by the component, whose ticket is shown."""
        command = self.command or RATE_COMMAND
        rated = await rates.admitted(command)
        weighed = [piece.weighed for piece in self.pieces if piece.weighed is not None]
        kind = mailer.value_kind or UNITS
        amounts = iter(await rates.amounts(command, weighed, kind) if weighed else ())
        pieces = tuple(_piece(piece, next(amounts) if piece.weighed else piece.amount) for piece in self.pieces)

        def make(request: bytes, time: int) -> FrankRequest:
            return FrankRequest(
                request, mailer.account, mailer.serial, time, _shown(rated, present, request),
                rated.integrity_value or None, pieces,
            )  # fmt: skip

        # A meter that pays per use, or is low, is loaded first.
        fee = _fee(mailer)
        words = frank_words(kind, pieces, is_given=len(weighed) < len(pieces)) + fee_words(kind, fee)
        total = sum(piece.amount for piece in pieces)
        return Plan(Operation.FRANK, words, total, make, rated.integrity_value, fee)


@dataclass(frozen=True, slots=True)
class WantedLoad:
    """Money onto the meter."""

    order: bytes
    amount: int
    serial: str | None = None

    def is_placed(self, mailer: Mailer) -> bool:
        """Money has no place."""
        return True

    def octets(self) -> bytes:
        """Of all that the computer said."""
        return encode(["load", self.amount])

    async def plan(self, mailer: Mailer, rates: Rates, present: Present) -> Plan:
        """Nothing is rated."""

        def make(request: bytes, time: int) -> LoadRequest:
            return LoadRequest(request, mailer.account, mailer.serial, time, self.amount)

        kind, fee = mailer.value_kind or UNITS, _fee(mailer)
        return Plan(Operation.LOAD, load_words(kind, self.amount) + fee_words(kind, fee), self.amount, make, fee=fee)


@dataclass(frozen=True, slots=True)
class WantedRefund:
    """Money back, or an indicium that was not used: one of both."""

    order: bytes
    amount: int | None
    unused: Indicated | None
    serial: str | None = None

    def is_placed(self, mailer: Mailer) -> bool:
        """The indicium says where it was."""
        return True

    def octets(self) -> bytes:
        """Of all that the computer said."""
        unused: Value = [self.unused.indicium, self.unused.token] if self.unused else None
        return encode(["refund", self.amount, unused])

    async def plan(self, mailer: Mailer, rates: Rates, present: Present) -> Plan:
        """An indicium has its own amount."""
        unused = self.unused
        amount = (self.amount or 0) if unused is None else read(Indicium, unused.indicium).amount

        def make(request: bytes, time: int) -> RefundRequest:
            return RefundRequest(request, mailer.account, mailer.serial, time, self.amount, unused)

        words = refund_words(mailer.value_kind or UNITS, amount, is_unused=unused is not None)
        return Plan(Operation.REFUND, words, amount, make)


def digest_of(wanted: Wanted) -> bytes:
    """32 octets."""
    return digest(wanted.octets())


def _fee(mailer: Mailer) -> int:
    """What signing up costs, where this is its first payment."""
    return 0 if mailer.payment is Payment.POSTPAID else mailer.fee_due


def _shown(rated: Rated, present: Present, request: bytes) -> bytes:
    return present(Presentation(rated.ticket), request)


def _piece(piece: WantedPiece, amount: int) -> Piece:
    if amount == 0:
        raise CkrError(Ckr.ARGUMENTS_BAD, FREE)
    return Piece(amount, piece.destination, addressee_digest(piece.address), piece.origin, piece.mail_class)


def _piece_values(piece: WantedPiece) -> Value:
    weighed = piece.weighed
    said: Value = piece.amount if weighed is None else [weighed.grams, weighed.service, weighed.zone]
    return [said, piece.destination, piece.address, piece.origin, piece.mail_class]

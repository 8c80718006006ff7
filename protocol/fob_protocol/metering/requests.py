"""What a device says to service `metering` (docs/meter-protocol.md, section 4)."""

from typing import Annotated, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import mac0, sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.limits import PRESENTATION_LIMIT
from fob_protocol.metering.indicium import AddresseeDigest
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.limits import ACCOUNT_SIZE, BATCH_LIMIT, ORIGINS_LIMIT
from fob_protocol.metering.records import Refill
from fob_protocol.metering.values import Account, Amount, Charge, Indicated, LoginName, Postcode, Serial, ValueKind
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Count, Message, Name, Nonce, Octets32, Time, read, read_one_of

ShownTicket = Annotated[bytes, Meta(max_length=PRESENTATION_LIMIT)]

SealedPassword = Annotated[bytes, Meta(max_length=512)]


class Piece(Message, frozen=True):
    """One indicium that is asked for. `addressee` is as in the indicium; no origin is the mailer's first (M28)."""

    amount: Charge
    destination: Postcode
    addressee: AddresseeDigest
    origin: Postcode | None
    mail_class: Name


class SignUpRequest(Message, tag=1, frozen=True):
    """*sign-up*, signed by the device whose keys are in it; the presentation's holder is the same (M30)."""

    request_id: Nonce
    name: LoginName
    password: SealedPassword
    value_kind: ValueKind
    payment: Payment
    refill: Refill | None
    origins: Annotated[tuple[Postcode, ...], Meta(min_length=1, max_length=ORIGINS_LIMIT)]
    presentation: ShownTicket
    signing_key: Octets32
    sealing_key: Octets32
    time: Time
    # What signing up costs, as the person was told.
    fee: Amount = 0

    def signed(self, device: Ed25519PrivateKey) -> bytes:
        """By the device's system key."""
        return sign1.sign(device, Label.SIGN_UP, [], self.octets())


class SignOnRequest(Message, tag=1, frozen=True):
    """*sign-on*: the mailer's new device, or a new key for the same (M14); the one before is over."""

    request_id: Nonce
    name: LoginName
    password: SealedPassword
    presentation: ShownTicket
    signing_key: Octets32
    sealing_key: Octets32
    time: Time

    def signed(self, device: Ed25519PrivateKey) -> bytes:
        """By the device's system key."""
        return sign1.sign(device, Label.SIGN_ON, [], self.octets())


class AboutRequest(Message, tag=2, frozen=True):
    """`log` is the size of the newest checkpoint that the device holds, or 0."""

    request_id: Nonce
    account: Account
    serial: Serial
    time: Time
    log: Count


class FrankRequest(Message, tag=3, frozen=True):
    """All pieces or none (M17). `integrity` is the value that the rate component was validated by, where it may be
    shown: it stands in the transaction (X6).
    """

    request_id: Nonce
    account: Account
    serial: Serial
    time: Time
    presentation: ShownTicket
    integrity: Octets32 | None
    pieces: Annotated[tuple[Piece, ...], Meta(min_length=1, max_length=BATCH_LIMIT)]


class LoadRequest(Message, tag=4, frozen=True):
    """Postage value download."""

    request_id: Nonce
    account: Account
    serial: Serial
    time: Time
    amount: Charge


class RefundRequest(Message, tag=5, frozen=True):
    """Money back of the descending register, or an indicium that was not used: one of both."""

    request_id: Nonce
    account: Account
    serial: Serial
    time: Time
    amount: Charge | None
    unused: Indicated | None


class HistoryRequest(Message, tag=6, frozen=True):
    """Transactions above a counter."""

    request_id: Nonce
    account: Account
    serial: Serial
    time: Time
    after: Count


SignedT = TypeVar("SignedT", SignUpRequest, SignOnRequest)

Authenticated = AboutRequest | FrankRequest | LoadRequest | RefundRequest | HistoryRequest
_AUTHENTICATED: Final[tuple[type[Authenticated], ...]] = (
    AboutRequest, FrankRequest, LoadRequest, RefundRequest, HistoryRequest,
)  # fmt: skip


class Terms(Message, tag=0x10, frozen=True):
    """What may be had, and to whom passwords are sealed."""


class SignUp(Message, tag=1, frozen=True):
    """A SignUpRequest as it was signed."""

    signed: bytes


class SignOn(Message, tag=7, frozen=True):
    """A SignOnRequest as it was signed."""

    signed: bytes


class Ask(Message, tag=2, frozen=True):
    """One of Authenticated, with its code under the user authentication key (COSE_Mac0; M19)."""

    authenticated: bytes


def account_of(sign_up: bytes) -> bytes:
    """The account that a sign-up makes (16 octets), by H of its own octets: no other request can make it."""
    return sign_up[:ACCOUNT_SIZE]


def authenticated(key: bytes, request: Message) -> bytes:
    """A request with its code (M19)."""
    return mac0.authenticate(key, Label.METERING_REQUEST, [], request.octets())


def read_authenticated(octets: bytes) -> Authenticated:
    """A request without its code. Raises OfficeError MALFORMED."""
    return read_one_of(_AUTHENTICATED, octets)


def read_signed(kind: type[SignedT], signed: bytes) -> SignedT:
    """What a device signed with the key that is in it. Raises OfficeError WRONG_SIGNATURE, MALFORMED."""
    label = Label.SIGN_UP if kind is SignUpRequest else Label.SIGN_ON
    try:
        request = read(kind, sign1.unverified_payload(signed))
        sign1.verify(request.signing_key, label, [], signed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"not signed by the key that is in it: {error}") from None
    return request

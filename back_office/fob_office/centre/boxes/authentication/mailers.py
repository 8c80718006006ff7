"""New mailers, and new keys for mailers (M14, M30)."""

from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.alarm import Alarm
from fob_office.centre.boxes.authentication.attempts import Attempts, nobodys_place
from fob_office.centre.boxes.authentication.passwords import Passwords
from fob_office.centre.boxes.authentication.permitting import check_active, check_time
from fob_office.centre.boxes.authentication.records import UserRecords
from fob_office.centre.boxes.orders import read_order
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.authentication import RecordUser, SignOn, UserRecorded
from fob_office.centre.words import Word
from fob_office.refusing import RuleBrokenError
from fob_office.registration.names import name_key
from fob_office.surroundings import Surroundings
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.indicium import is_place
from fob_protocol.metering.limits import CLOCK_SKEW
from fob_protocol.metering.login import open_password
from fob_protocol.metering.records import UserRecord
from fob_protocol.metering.requests import SignOnRequest, SignUpRequest, account_of, read_signed
from fob_protocol.metering.vouchers import UserOrder
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest, is_same

RequestT = TypeVar("RequestT", SignUpRequest, SignOnRequest)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that its device signed just now, the steel box's order for it, and what they say."""

    order: UserOrder
    # H of the request's own octets.
    request_digest: bytes
    name: str
    password: str = field(repr=False)
    now: int


class Mailers:
    """Answers function servers."""

    def __init__(
        self,
        vault: Vault,
        sealing: X25519PrivateKey,
        records: UserRecords,
        passwords: Passwords,
        attempts: Attempts,
        surroundings: Surroundings,
        alarm: Alarm,
    ) -> None:
        """`sealing`: the private half of the sealing key in the box's pass."""
        self._vault = vault
        self._sealing = sealing
        self._records = records
        self._passwords = passwords
        self._attempts = attempts
        self._surroundings = surroundings
        self._alarm = alarm

    async def record_user(self, peer: Pass, command: RecordUser) -> UserRecorded:
        """As the command says."""
        request = _signed(SignUpRequest, command.signed)
        asked = self._asked(request, command.order)
        if not all(map(is_place, request.origins)):
            raise BusRefusedError(Word.WRONG_ORIGIN, "an origin is letters and digits, with blanks, dots and dashes")
        # Else it would be a new holder for somebody's account, without its password.
        if not is_same(asked.order.account, account_of(asked.request_digest)):
            error = BusRefusedError(Word.TAMPERING, "a first record, for an account of another sign-up")
            # No honest function server asks for that, so it would not be told by who asked.
            await self._alarm.warn(peer, error)
            raise error
        if await self._records.seen(asked.order.account) is not None:
            raise BusRefusedError(Word.TAMPERING, "the order's account has a record already")
        with self._passwords.room():
            verifier = await self._passwords.verifier(asked.password, self._key(asked.order.account))
        record = UserRecord(
            account=asked.order.account,
            name=request.name,
            verifier=verifier,
            key=asked.order.key,
            holder=request.signing_key,
            is_active=True,
            counter=1,
            payment=request.payment,
            refill=request.refill,
            origins=request.origins,
            last=asked.request_digest,
            time=asked.now,
            epoch=epoch_of(asked.now),
        )
        return UserRecorded(self._records.sign(record))

    async def sign_on(self, peer: Pass, command: SignOn) -> UserRecorded:
        """As the command says."""
        request = _signed(SignOnRequest, command.signed)
        asked = self._asked(request, command.order)
        record = None if command.record is None else await self._records.read(command.record)
        if record is not None:
            _check_same(record, asked)
            # By a clock that was ahead it was signed later than this is: that keeps nobody out.
            if request.time < record.time <= asked.now + CLOCK_SKEW:
                raise BusRefusedError(Word.STALE, "the mailer has signed since this was asked for")
        place = nobodys_place(asked.name) if record is None else record.account
        # Who is sent away for want of room has not tried.
        with self._passwords.room():
            await self._attempts.take(place)
            verifier = None if record is None else record.verifier
            is_right = await self._passwords.is_right(asked.password, self._key(asked.order.account), verifier)
        if record is None or not is_right:
            raise BusRefusedError(Word.NOT_AUTHENTICATED, "name or password is wrong")
        await self._attempts.clear(place)
        check_active(record)
        renewed = replace(
            record,
            key=asked.order.key,
            holder=request.signing_key,
            counter=record.counter + 1,
            last=asked.request_digest,
            time=asked.now,
            epoch=codes.epoch_after(record.epoch, asked.now),
        )
        return UserRecorded(self._records.sign(renewed))

    def _key(self, account: bytes) -> bytes:
        """Of the account's verifier."""
        return self._vault.derive(Purpose.PASSWORD, account)

    def _asked(self, request: SignUpRequest | SignOnRequest, signed_order: bytes) -> _Asked:
        """Raises BusRefusedError STALE, TAMPERING, MALFORMED."""
        now = self._surroundings.clock()
        check_time(request.time, now)
        order = read_order(self._vault, UserOrder, signed_order)
        own = digest(request.octets())
        if not (is_same(order.request_digest, own) and is_same(order.sealing_key, request.sealing_key)):
            raise BusRefusedError(Word.TAMPERING, "the order is for another request, or for another device")
        try:
            return _Asked(order, own, name_key(request.name), open_password(self._sealing, request), now)
        except CoseError as error:
            raise BusRefusedError(Word.MALFORMED, f"the password: {error}") from None
        except RuleBrokenError as error:
            raise BusRefusedError(Word.MALFORMED, str(error)) from None


def _signed(kind: type[RequestT], signed: bytes) -> RequestT:
    """Raises BusRefusedError NOT_AUTHENTICATED for another signature, MALFORMED."""
    try:
        return read_signed(kind, signed)
    except OfficeError as error:
        word = Word.NOT_AUTHENTICATED if error.fault is Fault.WRONG_SIGNATURE else Word.MALFORMED
        raise BusRefusedError(word, error.why) from None


def _check_same(record: UserRecord, asked: _Asked) -> None:
    """The record shown is of who asks. Raises BusRefusedError TAMPERING, ID_USED."""
    if asked.order.account != record.account or name_key(record.name) != asked.name:
        raise BusRefusedError(Word.TAMPERING, "the record is another mailer's")
    if is_same(record.last, asked.request_digest):
        raise BusRefusedError(Word.ID_USED, "the record came to be by this sign-on")

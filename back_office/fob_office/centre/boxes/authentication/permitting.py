"""Each request is authenticated by itself, and permitted to do just what it says (M18, M19, M28): no session."""

from typing import NamedTuple

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.authentication.records import UserRecords
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.boxes.wrapping import unwrap_user_key
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.authentication import Permit, PermitRefill, Permitted
from fob_office.centre.following import REFILL, derived_digest, rule_digest
from fob_office.centre.pieces import resolve
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.cose import mac0
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import CLOCK_SKEW, REQUEST_TIME
from fob_protocol.metering.records import UserRecord
from fob_protocol.metering.requests import (
    Authenticated,
    FrankRequest,
    LoadRequest,
    RefundRequest,
    read_authenticated,
)
from fob_protocol.metering.vouchers import Permission
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read


class _Wanted(NamedTuple):
    """What a request changes."""

    deed: Deed
    amount: int
    pieces: bytes | None


class Permitting:
    """Answers function servers."""

    def __init__(self, vault: Vault, records: UserRecords, surroundings: Surroundings) -> None:
        self._vault = vault
        self._records = records
        self._surroundings = surroundings

    async def permit(self, peer: Pass, command: Permit) -> Permitted:
        """As the command says."""
        now = self._surroundings.clock()
        record = await self._records.read(command.record)
        payload = self._authenticated(record, command.authenticated)
        try:
            request = read_authenticated(payload)
        except OfficeError as error:
            raise BusRefusedError(Word.MALFORMED, error.why) from None
        if request.account != record.account:
            raise BusRefusedError(Word.NOT_AUTHENTICATED, "the request is another account's")
        check_active(record)
        check_time(request.time, now)
        wanted = _wanted(request, record)
        if wanted is None:
            return Permitted(None)
        permission = Permission(
            account=record.account,
            request_digest=digest(payload),
            deed=wanted.deed,
            serial=request.serial,
            amount=wanted.amount,
            pieces=wanted.pieces,
            time=now,
        )
        return Permitted(codes.sign(self._vault, permission, Label.PERMISSION, Purpose.PERMISSION, record.account))

    async def permit_refill(self, peer: Pass, command: PermitRefill) -> Permitted:
        """As the command says."""
        now = self._surroundings.clock()
        record = await self._records.read(command.record)
        check_active(record)
        if record.refill is None:
            raise BusRefusedError(Word.NO_REFILL, "the mailer wants no refills")
        permission = Permission(
            account=record.account,
            request_digest=derived_digest(REFILL, command.serial, command.counter),
            deed=Deed.LOAD,
            serial=command.serial,
            amount=record.refill.amount,
            pieces=rule_digest(record.refill.below),
            time=now,
        )
        return Permitted(
            codes.sign_checked(self._vault, permission, Label.PERMISSION, Purpose.PERMISSION, record.account)
        )

    def _authenticated(self, record: UserRecord, signed: bytes) -> bytes:
        """The request's octets. Raises BusRefusedError NOT_AUTHENTICATED, TAMPERING."""
        key = unwrap_user_key(self._vault, record.account, record.key)
        try:
            return mac0.check(key, Label.METERING_REQUEST, [], signed)
        except CoseError as error:
            raise BusRefusedError(Word.NOT_AUTHENTICATED, f"the request: {error}") from None


def check_active(record: UserRecord) -> None:
    """Raises BusRefusedError STOPPED."""
    if not record.is_active:
        raise BusRefusedError(Word.STOPPED, "the account is stopped")


def check_time(time: int, now: int) -> None:
    """When a device says that it asked. Raises BusRefusedError STALE."""
    if not now - REQUEST_TIME <= time <= now + CLOCK_SKEW:
        raise BusRefusedError(Word.STALE, f"a request is good for {REQUEST_TIME} s; this one is {now - time} s old")


def _wanted(request: Authenticated, record: UserRecord) -> _Wanted | None:
    """Nothing for what changes nothing. Raises BusRefusedError WRONG_ORIGIN, OVER_LIMIT, NO_REFUND, MALFORMED."""
    match request:
        case FrankRequest():
            resolved = resolve(request.pieces, record.origins)
            return _Wanted(Deed.FRANK, resolved.amount, resolved.digest)
        case LoadRequest():
            return _Wanted(Deed.LOAD, request.amount, None)
        case RefundRequest():
            return _refund(request)
        case _:
            return None


def _refund(request: RefundRequest) -> _Wanted:
    match request.amount, request.unused:
        case int(amount), None:
            return _Wanted(Deed.REFUND, amount, None)
        case None, unused if unused is not None:
            try:
                amount = read(Indicium, unused.indicium).amount
            except OfficeError as error:
                raise BusRefusedError(Word.NO_REFUND, f"no indicium: {error.why}") from None
            return _Wanted(Deed.CREDIT, amount, digest(unused.octets()))
        case _:
            raise BusRefusedError(Word.MALFORMED, "an amount, or an indicium that was not used: one of both")

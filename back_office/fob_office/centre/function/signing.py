"""Signing up for a meter, and signing on with another device (M14, M30)."""

from dataclasses import dataclass

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import RecordUser, ShowUser, SignOn
from fob_office.centre.commands.database import FindMailer, Mailer, NewRecord, Store
from fob_office.centre.commands.meter import Act, Begin
from fob_office.centre.commands.steel import OrderMeter, OrderUser
from fob_office.centre.function.changing import Changing, done, record_of
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.presenting import Presenting
from fob_office.centre.function.refusing import is_final, reading_of, refused
from fob_office.centre.journal import sign_on_place, sign_up_place
from fob_office.centre.words import Word
from fob_protocol.cose import mac0
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.answers import SignedUp
from fob_protocol.metering.records import MeterRecord, UserRecord
from fob_protocol.metering.requests import SignOnRequest, SignUpRequest, read_signed
from fob_protocol.metering.vouchers import MeterOrder, UserOrder
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest, is_same
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Signing:
    """Of one function server. `fee`: what signing up costs now; `deposit`: the least that is loaded at once."""

    peers: Peers
    changing: Changing
    presenting: Presenting
    fee: int = 0
    deposit: int = 0

    async def sign_up(self, signed: bytes) -> bytes:
        """A new mailer with a meter (M8). Raises BusRefusedError, RuleBrokenError, OfficeError."""
        asked = read_signed(SignUpRequest, signed)
        try:
            return await self._sign_up(asked, signed)
        except (BusRefusedError, RefusedError) as error:
            await self._check_undone(sign_up_place(asked.request_id), asked, error)
        return await self._sign_up(asked, signed)

    async def _sign_up(self, asked: SignUpRequest, signed: bytes) -> bytes:
        request = digest(asked.octets())
        found = await self.peers.any(Kind.DATABASE, FindMailer(sign_up_place(asked.request_id), asked.name))
        # What was done is said again, be its ticket over, or the terms others by now.
        if (answer := done(found, request)) is not None:
            return answer
        self._check_software(asked, asked.value_kind)
        if found.user is not None:
            raise refused(Refusal.NAME_TAKEN, "another mailer has this name")
        if asked.fee != self.fee:
            now, agreed = (amount_words(asked.value_kind, one) for one in (self.fee, asked.fee))
            raise refused(Refusal.PAYMENT_REFUSED, f"signing up costs {now}, and {agreed} was agreed to")
        if asked.refill is not None and asked.refill.amount < self.deposit:
            wanted, least = (amount_words(asked.value_kind, one) for one in (asked.refill.amount, self.deposit))
            why = f"a refill of {wanted}; at least {least} at once"
            raise refused(Refusal.PAYMENT_REFUSED, why)
        user = await self.peers.any(Kind.STEEL, OrderUser(None, asked.sealing_key, request))
        record_user = RecordUser(user.order, signed)
        mailer = (await self.peers.opener(Kind.AUTHENTICATION, asked.password, record_user)).record
        account = read(UserOrder, mac0.unchecked_payload(user.order)).account
        meter = await self.peers.any(Kind.STEEL, OrderMeter(account, asked.value_kind, request, asked.fee))
        serial = read(MeterOrder, mac0.unchecked_payload(meter.order)).serial
        changed = await self.peers.owner(serial, Begin(meter.order, Act(request, asked.request_id, None)))
        record = record_of(changed)
        answer = _signed_up(record, user.key)
        store = Store(
            place=sign_up_place(asked.request_id),
            request_digest=request,
            answer=answer,
            meter=NewRecord(serial.encode(), None, changed.record),
            user=NewRecord(account, None, mailer),
            name=asked.name,
            serial=serial,
            transaction=await self.changing.attest(changed),
            payout=None,
        )
        return await self._stored(store)

    async def sign_on(self, signed: bytes) -> bytes:
        """A new key for who knows name and password. Raises BusRefusedError, RuleBrokenError, OfficeError."""
        asked = read_signed(SignOnRequest, signed)
        try:
            return await self._sign_on(asked, signed)
        except (BusRefusedError, RefusedError) as error:
            await self._check_undone(sign_on_place(asked.request_id), asked, error)
        return await self._sign_on(asked, signed)

    async def _sign_on(self, asked: SignOnRequest, signed: bytes) -> bytes:
        request = digest(asked.octets())
        found = await self.peers.any(Kind.DATABASE, FindMailer(sign_on_place(asked.request_id), asked.name))
        if (answer := done(found, request)) is not None:
            if found.user is not None:
                await self._show(found.user)
            return answer
        before = _before(found)
        account = before.account if before is not None else None
        order = await self.peers.any(Kind.STEEL, OrderUser(account, asked.sealing_key, request))
        sign_on = SignOn(found.user, order.order, signed)
        mailer = (await self.peers.opener(Kind.AUTHENTICATION, asked.password, sign_on)).record
        if before is None or found.serial is None:
            raise refused(Refusal.NOT_AUTHENTICATED, "nobody has this name")
        held = await self.changing.look(found.serial)
        with reading_of(found.serial):
            record = held.record
        # Only now: to others it says nothing of the account.
        self._check_software(asked, record.value_kind)
        answer = _signed_up(record, order.key)
        store = Store(
            place=sign_on_place(asked.request_id),
            request_digest=request,
            answer=answer,
            meter=None,
            user=NewRecord(before.account, before.counter, mailer),
            name=None,
            serial=found.serial,
            transaction=None,
            payout=None,
        )
        if await self._stored(store) != answer:
            # Another function server was faster: what it stored is said again.
            return await self._sign_on(asked, signed)
        await self._show(mailer)
        return answer

    async def _check_undone(
        self, place: bytes, asked: SignUpRequest | SignOnRequest, error: BusRefusedError | RefusedError
    ) -> None:
        """Another function server may have done it meanwhile, whose word counts. Raises `error`, BusRefusedError."""
        if not is_final(error):
            raise error
        found = await self.peers.any(Kind.DATABASE, FindMailer(place, asked.name))
        if found.done is None or found.done[0] != digest(asked.octets()):
            raise error

    async def _show(self, mailer: bytes) -> None:
        """The device before is over at every authentication box when the new one hears of it."""
        await self.peers.any(Kind.AUTHENTICATION, ShowUser(mailer))

    async def _stored(self, store: Store) -> bytes:
        """The answer; the same request may have been done at another function server meanwhile."""
        answer = await self.changing.store(store)
        if answer is not None:
            return answer
        raise BusRefusedError(Word.UNAVAILABLE, "somebody else signed at the same time")

    def _check_software(self, asked: SignUpRequest | SignOnRequest, value_kind: str) -> None:
        ticket = self.presenting.admit(asked.presentation, asked.request_id, value_kind)
        if not is_same(ticket.holder, asked.signing_key):
            raise refused(Refusal.NOT_VALIDATED, "the ticket is another device's")


def _before(found: Mailer) -> UserRecord | None:
    """Who has the name, unchecked. Raises BusRefusedError TAMPERING: no box made what stands there."""
    if found.user is None:
        return None
    with reading_of(found.serial or ""):
        return read(UserRecord, mac0.unchecked_payload(found.user))


def _signed_up(record: MeterRecord, key: bytes) -> bytes:
    return SignedUp(record.account, record.serial, key, record.registers).octets()

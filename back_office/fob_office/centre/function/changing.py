"""Steps 5 to 7 of a transaction: what a meter box has done is attested, stored and answered, once (M33)."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import NO_REQUEST, Fetch, Fetched, Mailer, NewRecord, Payout, Store
from fob_office.centre.commands.meter import Changed, LastChange, Look
from fob_office.centre.commands.transaction import Attest
from fob_office.centre.function.held import Held, Request
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.refusing import is_final, is_strange, reading_of, refused, said_by, unreadable
from fob_office.centre.function.warnings import Warnings
from fob_office.centre.journal import place_of
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.cose import mac0
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.answers import Franked, Loaded, Refunded
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import CLOCK_SKEW, PERMISSION_TIME, REQUEST_TIME
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal

log = structlog.get_logger(__name__)

# Another request of the same meter, or its refill, may come between a few times; a device does one thing at a time.
TRIES: Final = 8

# Seconds from a request to the moment when nobody does it any more, who has not begun: it was permitted in time, and
# charged with that permission, by clocks that disagree.
UNDER_WAY_TIME: Final = REQUEST_TIME + 2 * PERMISSION_TIME + CLOCK_SKEW

# A record that is not the newest one, as meter boxes say it.
_OLD: Final = frozenset({Word.TAMPERING, Word.EPOCH_ROLLBACK})

_CHANGED: Final = msgspec.msgpack.Decoder(Changed)


# Makes the meter box do it, with the records as they are now.
Do = Callable[[Held], Awaitable[Changed]]
# Says whether somebody may hear of it.
Permit = Callable[[Held], Awaitable[object]]
# Brings onto the meter what was taken for this request under a number, and cut off; null: nothing was.
Taken = Callable[[int], Awaitable[Do | None]]


class Changing:
    """Of one function server."""

    def __init__(self, peers: Peers, surroundings: Surroundings) -> None:
        self.peers = peers
        self._surroundings = surroundings
        self.warnings = Warnings(peers, surroundings.clock)

    async def change(self, request: Request, do: Do, taken: Taken | None = None, *, brings_in: bool = False) -> bytes:
        """The answer, made now or long ago. Raises BusRefusedError, RuleBrokenError.

        Nothing is refused for good that was done, or that money was taken for, whatever would be said to it now.
        `brings_in`: money was taken for it, and nothing in the journal stands in its way.
        """
        try:
            answer = await self._change(request, do, brings_in=brings_in)
        except (BusRefusedError, RefusedError) as error:
            if not is_final(error):
                raise
            # The provider is not asked for strangers, who would hold up the mailer with it.
            return await self._done_before(request, None if is_strange(error) else taken, error)
        except (CoseError, OfficeError) as error:
            return await self._done_before(request, taken, unreadable(request.serial, error))
        self.warnings.over(request.serial)
        return answer

    async def _change(self, request: Request, do: Do, *, brings_in: bool = False) -> bytes:
        in_the_way: Held | None = None
        for _ in range(TRIES):
            found = await self.fetch(request, brings_in=brings_in)
            if isinstance(found, bytes):
                return found
            _check_moved(found, in_the_way)
            changed = await self._do(found, do)
            if changed is None:
                in_the_way = found
                continue
            await self.warnings.say_clocks(found)
            answer = await self._finish_from(found, changed)
            if answer is None:
                in_the_way = found
            elif changed.act.request_digest == request.digest:
                return answer
        raise _too_fast(request.serial)

    async def fetch(self, request: Request, *, brings_in: bool = False) -> Held | bytes:
        """What a request needs, or its answer. Raises RuleBrokenError ID_USED, NO_ACCOUNT."""
        found = await self.peers.any(Kind.DATABASE, Fetch(request.place, request.serial))
        is_another = found.done is not None and found.done[0] != request.digest
        if not (is_another and brings_in) and (answer := done(found, request.digest)) is not None:
            return answer
        return _held(found, request.serial)

    async def look(self, serial: str) -> Held:
        """The records as they are now. Raises RuleBrokenError NO_ACCOUNT."""
        return _held(await self.peers.any(Kind.DATABASE, Fetch(NO_REQUEST, serial)), serial)

    async def newest(self, serial: str, permit: Permit) -> Held:
        """The records as they are now, which the meter box says are the newest (M22), for whom `permit` knows.

        Raises as `change`, and as `permit`.
        """
        with reading_of(serial):
            return await self._newest(serial, permit)

    async def _newest(self, serial: str, permit: Permit) -> Held:
        in_the_way: Held | None = None
        for _ in range(TRIES):
            held = await self.look(serial)
            await permit(held)
            _check_moved(held, in_the_way)
            try:
                await self.check(held)
            except BusRefusedError as error:
                if not await self._may_go_on(held, error):
                    raise
                in_the_way = held
                continue
            await self.warnings.say_clocks(held)
            return held
        raise _too_fast(serial)

    async def check(self, held: Held) -> None:
        """Before money moves: the meter box says that this record is the newest. Raises BusRefusedError, BEHIND too."""
        await self.peers.owner(held.record.serial, Look(held.meter, ()))

    async def finish(self, changed: Changed, counter: int | None = None) -> bytes | None:
        """Attest it, and store it in the place of the record with this counter, or of the one before.

        None: another one stands there. Raises BusRefusedError.
        """
        record = record_of(changed)
        counter = record.registers.counter - 1 if counter is None else counter
        transaction = await self.attest(changed)
        answer = _answer(changed, record, transaction)
        store = Store(
            place=place_of(record.serial, changed.act.request_id, changed.act.request_digest),
            request_digest=changed.act.request_digest,
            answer=answer,
            meter=NewRecord(record.serial.encode(), counter, changed.record),
            user=None,
            name=None,
            serial=record.serial,
            transaction=transaction,
            payout=_payout(changed, record, transaction),
        )
        return await self.store(store)

    async def attest(self, changed: Changed) -> bytes:
        """The transaction record, signed. Raises BusRefusedError."""
        return (await self.peers.any(Kind.TRANSACTION, Attest(changed.change, changed.voucher))).transaction

    async def store(self, store: Store) -> bytes | None:
        """The answer that stands in the journal: another server may have done the same request in the meantime.

        None: a record with another counter stands there. Raises BusRefusedError, RuleBrokenError ID_USED.
        """
        try:
            stored = await self.peers.any(Kind.DATABASE, store)
        except BusRefusedError as error:
            if error.word == Word.CONFLICT:
                return None
            raise
        if stored.is_new:
            return store.answer
        found = await self.peers.any(Kind.DATABASE, Fetch(store.place, store.serial))
        return done(found, store.request_digest)

    async def _do(self, found: Held, do: Do) -> Changed | None:
        """None: the records are others now. Raises BusRefusedError, RuleBrokenError."""
        try:
            return await do(found)
        except BusRefusedError as error:
            if not await self._may_go_on(found, error):
                raise
            return None

    async def _done_before(self, request: Request, taken: Taken | None, error: BusRefusedError | RefusedError) -> bytes:
        """The answer to what was done and nobody heard of. Raises `error`; or UNAVAILABLE: nobody knows."""
        try:
            answer = await self._answer_before(request, taken)
        except (BusRefusedError, RefusedError) as unknown:
            raise await self._unknown(request.serial, error, unknown) from None
        except (CoseError, OfficeError) as unread:
            raise await self._unknown(request.serial, error, unreadable(request.serial, unread)) from None
        if answer is None:
            raise self._under_way(request) if said_by(error) is Refusal.LATE and self._may_be(request) else error
        return answer

    def _may_be(self, request: Request) -> bool:
        """Another server may have been given permission in time, and go on with it."""
        if request.time is None:
            return False
        return 0 <= self._surroundings.clock() - request.time <= UNDER_WAY_TIME

    def _under_way(self, request: Request) -> BusRefusedError:
        """So that it is asked again until nobody can do it any more."""
        why = f"it came late for {request.serial}, and may be under way at another server"
        return BusRefusedError(Word.UNAVAILABLE, why)

    async def _answer_before(self, request: Request, taken: Taken | None) -> bytes | None:
        """None: it was not done, and nothing was taken for it. Raises as `_change`."""
        last = await self._last(request.serial)
        # Then the journal: what the meter box did before its last change is stored.
        found = await self.peers.any(Kind.DATABASE, Fetch(request.place, request.serial))
        if found.done is not None and found.done[0] == request.digest:
            return found.done[1]
        if last is None:
            return None
        if found.meter is None:
            why = f"{request.serial}: its meter box knows it, and the database does not"
            raise BusRefusedError(Word.TAMPERING, why)
        if last.act.request_digest == request.digest:
            return await self._end(_held(found, request.serial), last)
        do = None if taken is None else await taken(record_of(last).funds + 1)
        return None if do is None else await self._change(request, do, brings_in=True)

    async def _end(self, held: Held, last: Changed) -> bytes:
        """What the meter box did. Raises BusRefusedError."""
        answer = await self._finish_from(held, last)
        if answer is None:
            raise BusRefusedError(Word.CONFLICT, "it was done, and the database has another record")
        return answer

    async def _last(self, serial: str) -> Changed | None:
        """What the meter box did last of all; None: the meter was never begun. Raises BusRefusedError."""
        try:
            return await self.peers.owner(serial, LastChange(serial))
        except BusRefusedError as error:
            if error.word != Word.NO_METER:
                raise
            return None

    async def _unknown(self, serial: str, *errors: BusRefusedError | RefusedError) -> BusRefusedError:
        """What a device is told in the place of a refusal, so that it asks again. The centre is warned once of each."""
        for error in errors:
            if isinstance(error, BusRefusedError):
                await self.warnings.warn_once(serial, error)
        # The same box is in the way of both as a rule.
        reasons = dict.fromkeys(map(str, errors))
        return BusRefusedError(Word.UNAVAILABLE, "; but whether it was done before is not known: ".join(reasons))

    async def _may_go_on(self, held: Held, refused: BusRefusedError) -> bool:
        """With the records as they are now: an earlier change was ended first, or others were faster.

        A box cannot tell a record that somebody put back from one that was read two changes ago; the database can.
        """
        if refused.word == Word.BEHIND:
            await self._catch_up(held, refused)
            return True
        return refused.word in _OLD and await self.look(held.record.serial) != held

    async def _finish_from(self, found: Held, changed: Changed) -> bytes | None:
        """As `finish`; what is stored already, though no journal says so, is answered again."""
        if changed.record != found.meter:
            return await self.finish(changed)
        record = record_of(changed)
        return _answer(changed, record, await self.attest(changed))

    async def _catch_up(self, held: Held, behind: BusRefusedError) -> None:
        """End what the meter box did and the database has not got. Raises BusRefusedError."""
        changed = _CHANGED.decode(behind.data or b"")
        # A frank that had to load first was asked for with a later record.
        if changed.before != digest(held.meter) and await self.look(held.record.serial) == held:
            raise BusRefusedError(Word.TAMPERING, f"{held.record.serial}: the standing does not follow this record")
        log.info("ending an earlier transaction", serial=held.record.serial, deed=Deed(changed.deed).name)
        await self.finish(changed)


def record_of(changed: Changed) -> MeterRecord:
    """The one after it, unchecked."""
    return read(MeterRecord, mac0.unchecked_payload(changed.record))


def done(found: Fetched | Mailer, request: bytes) -> bytes | None:
    """The answer that the journal has for this request (its digest). Raises RuleBrokenError ID_USED."""
    if found.done is None:
        return None
    asked, answer = found.done
    if asked != request:
        raise refused(Refusal.ID_USED, "the id stands for another request")
    return answer


def _held(found: Fetched, serial: str) -> Held:
    """Raises RuleBrokenError NO_ACCOUNT."""
    if found.meter is None or found.user is None:
        raise refused(Refusal.NO_ACCOUNT, f"there is no meter {serial}")
    return Held(found.meter, found.user)


def _check_moved(held: Held, in_the_way: Held | None) -> None:
    """Whoever stored before this moved the record. Raises BusRefusedError TAMPERING."""
    if held == in_the_way:
        why = "the database finds a record, and will not let the next one take its place: its columns were changed"
        raise BusRefusedError(Word.TAMPERING, f"{held.record.serial}: {why}")


def _too_fast(serial: str) -> BusRefusedError:
    return BusRefusedError(Word.UNAVAILABLE, f"{serial} changes faster than it can be read")


def _answer(changed: Changed, record: MeterRecord, transaction: bytes) -> bytes:
    """As it goes to the device."""
    match Deed(changed.deed):
        case Deed.FRANK:
            indicia = tuple(Indicated(made.indicium, made.token) for made in changed.indicia)
            return Franked(indicia, record.registers, transaction).octets()
        case Deed.REFUND | Deed.CREDIT:
            return Refunded(record.registers, transaction).octets()
        case _:
            return Loaded(record.registers, transaction).octets()


def _payout(changed: Changed, record: MeterRecord, transaction: bytes) -> Payout | None:
    if changed.deed != Deed.REFUND:
        return None
    number = record.registers.counter
    return Payout(record.account, record.serial, number, changed.amount, changed.act.request_digest, transaction)

"""One device's meter, used from here: what can be asked of it, and the batches that are under way."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Final

from fob_daemon.control.errors import ControlError
from fob_daemon.control.office_reports import DeviceOffice, MeterChange
from fob_daemon.device.away import AwayError
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.metering.appearance import Appearance, appearance_of
from fob_daemon.metering.cleansing import cleansed
from fob_daemon.metering.drafts import Drafts, Writer
from fob_daemon.metering.jobs import Job, Kept, Kind, Money, Order, Standing
from fob_daemon.metering.judging import judge
from fob_daemon.metering.kept.disk import Disk
from fob_daemon.metering.kept.job_rows import NotOpenError
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.limits import JOB_LIMIT, UNITS
from fob_daemon.metering.orders import Orders, is_fault
from fob_daemon.metering.pieces import fault_of, first_request
from fob_daemon.metering.reading import ended_of, transaction_of
from fob_daemon.metering.refusing import (
    NOT_REPLACED,
    has_meter,
    kept_elsewhere,
    no_job,
    no_meter,
    no_piece,
    not_added,
    not_kept,
    not_open,
    nothing_to_take,
    other_meter,
    unfinished,
)
from fob_daemon.metering.remote_meter import RemoteMeter
from fob_daemon.metering.reports import Begun, Ended, Franked, Looked, MeterReport, Paid, SignedOn, TakenOver
from fob_daemon.metering.views import Joined, MeterAbout, MeterState, MeterTerms, Piece, Result, SignUp
from fob_protocol.caller import Caller
from fob_protocol.metering.faults import MeterFault
from fob_protocol.metering.limits import BATCH_LIMIT
from fob_protocol.office.refusals import Refusal
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# Hears how far a batch is.
Tell = Callable[[Franked | Looked], None]
# Batches that are listed.
JOBS_LISTED: Final = 20


class MeterDesk:
    """Methods raise CkrError for what the device says, ControlError for what this computer says."""

    def __init__(
        self,
        remote: RemoteMeter,
        office: DeviceOffice,
        store: MeterStore,
        random: Callable[[int], bytes],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.remote = remote
        self._office = office
        self._disk = Disk(store)
        self._orders = Orders(remote, self._disk, random)
        self._clock = clock
        # What became of orders whose commands were cut: for whoever asks for something next.
        self._ended: list[Ended] = []
        self._drafts = Drafts(time.monotonic)
        # One order at a time: the device keeps one.
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """The device was unpaired, or the daemon ends."""
        await self._disk.close()

    async def known(self) -> MeterState | None:
        """What it told last; no round trip."""
        return await self._disk(lambda store: store.told.state())

    async def state(self) -> MeterState:
        """What the device keeps now."""
        state = await self.remote.state()
        # It can be asked for again: who only looks needs no room on the disk.
        with suppress(ControlError):
            if (state.stage != "none" or self._disk.has_any) and await self.known() != state:
                await self._disk(lambda store: store.told.keep_state(state))
        return state

    async def report(self, device: str, told: MeterChange | None) -> MeterReport | None:
        """For who looks at all meters; no round trip. `told`: what the device said by itself."""
        known = await self.known()
        if known is None or known.stage == "none":
            return None
        if told is not None and (told.counter > known.counter or told.fault):
            # What the data centre did by itself is all the device tells of it.
            known = replace(
                known,
                counter=told.counter,
                ascending=told.ascending,
                descending=told.descending,
                pieces=told.pieces,
                fault=told.fault,
            )
        jobs, written = await self.jobs(), self._drafts.written
        waiting = sum(job.total - job.done for job in jobs if job.is_unfinished and job.number != written)
        newest = await self._disk(lambda store: store.orders.kept(None, 1, known.serial))
        return MeterReport(device, known, waiting, newest[0].amount if newest else 0)

    def ended(self) -> list[Ended]:
        """What became of orders whose commands were cut, said once."""
        ended, self._ended = self._ended, []
        return ended

    async def terms(self) -> MeterTerms:
        """What may be had."""
        return await self.remote.terms()

    async def about(self) -> MeterAbout:
        """What the data centre says now."""
        return await self.remote.about()

    async def sign_up(self, wanted: SignUp, *, replaces: bool = False) -> SignedOn:
        """A new account and meter. `replaces`: another mailer's meter makes room on the device."""
        return await self._join(wanted.name, lambda: self.remote.sign_up(wanted), replaces=replaces)

    async def sign_on(self, name: str, *, replaces: bool = False) -> SignedOn:
        """To an account that there is; `replaces` as in `sign_up`."""
        return await self._join(name, lambda: self.remote.sign_on(name), replaces=replaces)

    async def history(self, after: int) -> tuple[bytes, ...]:
        """Transactions above a counter, as they were signed."""
        return await self.remote.history(after)

    async def jobs(self) -> list[Job]:
        """The newest batches."""
        return await self._disk(lambda store: store.jobs.newest(JOBS_LISTED))

    async def kept(self, job: int | None) -> list[Kept]:
        """Transactions with indicia that are here, the newest first; of one batch, or of all."""
        return await self._disk(lambda store: store.orders.kept(job, JOB_LIMIT))

    async def record(self, counter: int, serial: str = "") -> bytes:
        """The transaction with this counter of a meter, or of the one that the device has; what is not here is fetched.

        Two meters count alike, so the counter alone finds another mailer's.
        """
        serial = serial or await self._serial()
        record = await self._disk(lambda store: store.orders.record(serial, counter))
        if record is None:
            state = await self._known()
            if serial != state.serial:
                raise kept_elsewhere(counter, serial, state)
            record = await self._fetched(counter, serial)
        if record is None or not transaction_of(record).indicia:
            raise not_kept(counter, serial)
        return record

    async def given_back(self) -> set[bytes]:
        """Indicia that are void, as far as this computer gave them back."""
        return await self._disk(lambda store: store.orders.given_back())

    async def appearance(self) -> Appearance:
        """Layout and slogan of what is printed."""
        return await appearance_of(self._office, self._disk)

    async def begin_job(self, command: str, writer: Writer | None = None) -> Begun:
        """A batch to add pieces to; refused while another one was cut, or is being written by another program.

        It is `writer`'s until the first of it is asked for. One of which nothing was franked is dropped.
        """
        self._drafts.check_free(writer)
        async with self._lock:
            await self._settle()
            self._drafts.check_free(writer)
            dropped = 0
            for job in await self._disk(lambda store: store.jobs.newest(JOBS_LISTED)):
                if job.is_cut:
                    raise unfinished(job)
                dropped += job.total if job.is_unfinished else 0
            known = await self.known()
            meter = known if known is not None and known.stage == "ready" else await self.state()
            if meter.stage != "ready":
                raise no_meter()
            number = await self._disk(lambda store: store.jobs.begin(command, int(self._clock()), meter))
            self._drafts.begin(number, writer)
            return Begun(number, dropped)

    async def cleansed(self, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
        """With the addresses that have to stand on them, by a component of the device; nothing is franked."""
        return await cleansed(self._office, pieces)

    async def add(self, job: int, pieces: Sequence[Piece]) -> int:
        """How many pieces it has now."""
        for place, piece in enumerate(pieces):
            fault = fault_of(piece)
            if fault is not None:
                raise not_added(f"piece {place + 1} of {len(pieces)}: {fault}")
        async with self._lock:
            self._drafts.hear(job)
            try:
                return await self._disk(lambda store: store.jobs.add(job, pieces))
            except NotOpenError:
                raise not_open() from None
            except ValueError as error:
                raise not_added(str(error)) from None

    async def resumable(self) -> Job:
        """The batch that was cut; also one that was cut when all of it was paid, and nobody heard so."""
        for job in await self._disk(lambda store: store.jobs.newest(JOBS_LISTED)):
            if not job.is_closed and job.total:
                self._drafts.check_over(job.number)
                return job
        raise no_job(
            "nothing was franked", is_any_paid=bool(await self._disk(lambda store: store.orders.kept(None, 1)))
        )

    async def frank(self, number: int, caller: Caller | None, tell: Tell, *, judges: bool = False) -> Job:
        """What is not franked yet of a batch, request after request.

        `tell` hears how far they are looked at before that, and of each as soon as it is on the disk here, before the
        device is told that it was taken. `judges`: a single piece is looked at too before it is paid, as those of a
        batch are.
        """
        async with self._lock:
            with self._begun(number):
                return await self._franked(number, caller, tell, judges=judges)

    async def _franked(self, number: int, caller: Caller | None, tell: Tell, *, judges: bool) -> Job:
        """By the meter whose batch it is."""
        job = await self._job(number)
        await self._check_own(job)
        try:
            return await self._frank(job, caller, tell, judges=judges or job.total > 1)
        except CkrError as error:
            if job.total == 1 and _is_of_values(error):
                # What is wrong with a letter is only looked for where something is: it costs two round trips.
                with suppress(CkrError):
                    await self._judge(job, lambda looked: None)
            if not is_fault(error, MeterFault.OTHER_METER):
                raise
            # Another computer's person signed on.
            await self.state()
            await self._check_own(await self._job(number))
            raise

    async def _frank(self, job: Job, caller: Caller | None, tell: Tell, *, judges: bool) -> Job:
        number = job.number
        order = await self._orders.open()
        if order is not None and (order.kind, order.job) != (Kind.FRANK, number):
            await self._settle()
            order = None
        if order is None and job.done == 0 and judges:
            await self._judge(job, tell)

        async def franked() -> None:
            done = await self._job(number)
            [last, *_] = await self._disk(lambda store: store.orders.kept(number, 1))
            tell(Franked(number, last.counter, last.pieces, last.amount, done.done, done.total))

        while order := order or await self._next(job):
            await self._orders.do(order, caller, franked)
            order = None
        job = await self._job(number)
        await self._disk(lambda store: store.jobs.close(number))
        return job

    async def give_up(self, number: int = 0) -> Job:
        """What is franked of a batch stays; the rest is forgotten. Without a number: of the one that was cut."""
        async with self._lock:
            job = await self._open_job(number) if number else await self.resumable()
            await self._settle()
            left: Job | None = await self._disk(lambda store: store.jobs.one(job.number))
            await self._disk(lambda store: store.jobs.close(job.number))
            self._drafts.end(job.number)
        return left or job

    async def load(self, amount: int, caller: Caller | None) -> Paid:
        """Money onto the meter."""
        return await self._pay(Kind.LOAD, Money(amount), caller)

    async def refund(self, amount: int | None, counter: int, piece: int, caller: Caller | None) -> Paid:
        """Money back; without an amount the indicium of a transaction that was not used."""
        if amount is not None:
            return await self._pay(Kind.REFUND, Money(amount), caller)
        indicia = transaction_of(await self.record(counter)).indicia
        if piece >= len(indicia):
            raise no_piece(counter, len(indicia))
        unused = indicia[piece]
        return await self._pay(Kind.REFUND, Money(None, unused.indicium, unused.token), caller)

    async def take_over(self) -> TakenOver:
        """The result that the device keeps, of an order of this computer, or of another one."""
        async with self._lock:
            settled = await self._orders.settle()
            if settled is not None:
                ended = await self._ended_of(settled.result)
                # Another mailer may have signed on since it was ordered.
                return TakenOver(ended, True, await self.state())
            state = await self.state()
            if not state.order:
                raise nothing_to_take()
            result = await self._orders.adopt(bytes.fromhex(state.order))
            return TakenOver(await self._ended_of(result), False, await self._known())

    @contextmanager
    def _begun(self, number: int) -> Iterator[None]:
        """A batch that is franked is not being written any more; one that only lacks the PIN still is."""
        is_over = True
        try:
            yield
        except CkrError as error:
            is_over = error.ckr is not Ckr.USER_NOT_LOGGED_IN
            raise
        finally:
            if is_over:
                self._drafts.end(number)
            else:
                self._drafts.hear(number)

    async def _settle(self) -> Order | None:
        """Before something else: what was done is said with what comes of that. The order that is lost, if it is."""
        settled = await self._orders.settle()
        if settled is None:
            return None
        self._ended.append(await self._ended_of(settled.result))
        return settled.order if settled.result is None else None

    async def _ended_of(self, result: Result | None) -> Ended:
        if result is None:
            return ended_of(None, (await self._known()).value_kind)
        known, serial = await self._known(), transaction_of(result.transaction).serial
        kind = (
            known.value_kind
            if known.serial == serial
            else await self._disk(lambda store: store.jobs.value_kind(serial))
        )
        return ended_of(result, kind)

    async def _check_own(self, job: Job) -> None:
        """By what is known here; the device has the last word. Raises ControlError."""
        known = await self.known()
        if known is not None and known.stage == "ready" and job.serial not in ("", known.serial):
            raise other_meter(job, known)

    async def _judge(self, job: Job, tell: Tell) -> None:
        """Before the first of its pieces is paid. Of a batch that would be refused nothing is kept."""
        waiting = await self._disk(lambda store: store.jobs.waiting(job.number, JOB_LIMIT))
        known = await self.known()
        kind = (known.value_kind if known is not None else "") or UNITS
        pieces = [piece for _, piece in waiting]

        def looked(done: int) -> None:
            tell(Looked(job.number, done, job.total))

        try:
            await judge(self.remote, job.command, pieces, kind, int(self._clock()), looked)
        except ControlError:
            await self._disk(lambda store: store.jobs.close(job.number))
            raise

    async def _pay(self, kind: Kind, money: Money, caller: Caller | None) -> Paid:
        async with self._lock:
            order = await self._orders.open()
            if order is not None and (order.kind, order.money) != (kind, money):
                await self._settle()
                order = None
            is_resumed = order is not None
            order = order or await self._orders.begin(Order(self._orders.new_id(), kind, money=money))
            result = await self._orders.do(order, caller)
            return Paid(transaction_of(result.transaction).amount, is_resumed, await self._known())

    async def _join(self, name: str, join: Callable[[], Awaitable[Joined]], *, replaces: bool) -> SignedOn:
        """A sign-on ends what the device has asked for: so that is settled first, where it can be."""
        async with self._lock:
            await self._check_replaced(name, replaces=replaces)
            lost: Order | None = None
            try:
                lost = await self._settle()
            except CkrError as error:
                if isinstance(error, AwayError | FateUnknownError):
                    raise
                # By the key that is over, or with a fault: only signing on goes on from there.
            joined = await join()
            lost = lost or await self._settle_joined()
            return SignedOn(joined.account, joined.serial, max(len(lost.pieces), 1) if lost else 0)

    async def _check_replaced(self, name: str, *, replaces: bool) -> None:
        """One round trip. A batch is its own meter's: it is never gone on with by another one's money."""
        state = await self.state()
        if state.stage != "ready" or state.name == name:
            return
        order = await self._orders.open()
        for job in await self.jobs():
            if job.is_cut or (job.is_unfinished and order is not None and order.job == job.number):
                raise unfinished(job, NOT_REPLACED)
        if not replaces:
            raise has_meter(state)

    async def _settle_joined(self) -> Order | None:
        """The device has settled what it could, and keeps the result; the order of which nobody will hear."""
        order = await self._orders.open()
        if order is None or order.standing is Standing.DONE:
            return None
        try:
            return await self._settle()
        except (AwayError, FateUnknownError):
            # It is settled before the next thing that is asked.
            return None
        except CkrError:
            await self._orders.give_up(order)
            return order

    async def _serial(self) -> str:
        """Of the device's meter now: another computer's person, or one at the screen, may have signed on since."""
        try:
            return (await self.state()).serial
        except CkrError:
            known = await self.known()
            if known is None:
                raise
            return known.serial

    async def _fetched(self, counter: int, serial: str) -> bytes | None:
        """From the data centre, by the device, whose meter it is."""
        for found in await self.remote.history(max(counter - 1, 0)):
            it = transaction_of(found)
            if (it.serial, it.counter) == (serial, counter):
                return found
        return None

    async def _known(self) -> MeterState:
        known = await self.known()
        return known if known is not None else await self.state()

    async def _job(self, number: int) -> Job:
        """With pieces. Raises ControlError."""
        job = await self._open_job(number)
        if job.total == 0:
            raise no_job("nothing was franked")
        return job

    async def _open_job(self, number: int) -> Job:
        job = await self._disk(lambda store: store.jobs.one(number))
        if job is None or job.is_closed:
            raise no_job("nothing was franked")
        return job

    async def _next(self, job: Job) -> Order | None:
        """The next request of a batch, written down; None when all is done."""
        waiting = await self._disk(lambda store: store.jobs.waiting(job.number, BATCH_LIMIT))
        if not waiting:
            return None
        pieces = first_request([piece for _, piece in waiting])
        first, id_ = waiting[0][0], self._orders.new_id()
        return await self._orders.begin(
            Order(id_, Kind.FRANK, Standing.ASKED, job.number, job.command, job.serial, first, pieces)
        )


def _is_of_values(error: CkrError) -> bool:
    """The device has no price for a piece, or the mailer does not post there: nobody was asked, and nothing is kept."""
    if error.ckr is Ckr.FUNCTION_REJECTED:
        return error.reason.partition(":")[0] == Refusal.WRONG_ORIGIN
    return error.ckr is Ckr.ARGUMENTS_BAD

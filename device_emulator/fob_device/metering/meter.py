"""The mailer's meter as the device has it: one thing at a time, each request kept before it is asked (M19, M33)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial

from msgspec.structs import replace

from fob_device.approval.questions import Operation
from fob_device.components.equipment import Equipment
from fob_device.metering.asking import ID_SIZE, server_for
from fob_device.metering.believing import Believing
from fob_device.metering.following import Following
from fob_device.metering.joining import Joiner, Typed, Wish
from fob_device.metering.rating import Rates, Weighed
from fob_device.metering.store import Allowance, KeptMeter, KeptOrder, MeterStore
from fob_device.metering.wanted import UNITS, Plan, Wanted, digest_of
from fob_device.office.carrier import NotCarriedError
from fob_device.office.directory import DIRECTORY_AGE, MOMENT, Directory
from fob_device.office.talker import Talker
from fob_device.sealed_items import SealedItems
from fob_protocol.at.answer import Event
from fob_protocol.history.entry import Entry, Kind, Outcome
from fob_protocol.integrity.presentation import Presentation
from fob_protocol.metering.answers import About, Franked, Loaded, Refunded, TermsGiven
from fob_protocol.metering.faults import MeterError, MeterFault, UnknownBoxError
from fob_protocol.metering.limits import DAY
from fob_protocol.metering.mailer import Done, Mailer, read_order, transactions, with_done
from fob_protocol.metering.requests import FrankRequest, LoadRequest, authenticated
from fob_protocol.metering.values import Registers
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Usage
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.retries import Pauses

# The user's master key, when the person has opened it.
Unlock = Callable[[], Awaitable[bytes]]
# The person's yes to a plan; the last value: it is within the day's allowance. Whether that was used, and nobody was
# asked. Raises CkrError for a no.
Approve = Callable[[Plan, Mailer, bool], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Result:
    """Of an order: what the meter has counted, and the transaction as it was signed."""

    registers: Registers
    transaction: bytes


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a meter works with. `tell` announces an event, and that the screen shows something else now."""

    items: SealedItems
    device: Equipment
    talker: Talker
    rates: Rates
    random: Random
    tell: Callable[[Event], None]


@dataclass(slots=True)
class Meter:
    """Methods that ask raise what `Talker.hold` raises, MeterError, CkrError, TokenFileError."""

    joiner: Joiner
    following: Following
    directory: Directory
    # Of what a person waits for.
    personal: Callable[[], AbstractContextManager[None]]
    # One thing at a time: two requests for a meter would be in each other's way.
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Whether the order that is kept waits for somebody who opens the key.
    _needs_key: bool = False

    @classmethod
    def of(
        cls,
        around: Surroundings,
        directory: Directory,
        personal: Callable[[], AbstractContextManager[None]],
    ) -> "Meter":
        """Put together."""
        store = MeterStore(around.items)
        believing = Believing(store, around.tell)
        joiner = Joiner(store, around.device, around.talker, around.rates, believing, around.random)
        return cls(joiner, Following(around.talker, believing, around.random), directory, personal)

    @property
    def believing(self) -> Believing:
        """What was believed last."""
        return self.joiner.believing

    async def terms(self) -> TermsGiven:
        """What may be had."""
        async with self._lock:
            with self.personal():
                await self._refresh(MOMENT)
                return await self.joiner.terms()

    async def join(self, name: str, wish: Wish | None, typed: Typed, master_key: bytes) -> KeptMeter:
        """Signed up or on, and what the data centre says of the meter is looked at once, where that can be."""
        async with self._lock:
            with self.personal():
                await self._refresh(MOMENT)
                await self._settle_before_joining(master_key)
                await self.joiner.join(name, wish, typed, master_key)
                with suppress(NotCarriedError, RefusedError, OfficeError, MeterError):
                    meter = self.believing.meter()
                    await self.following.follow(meter, self.joiner.store.key_of(meter, master_key))
        return self.believing.meter()

    async def about(self, unlock: Unlock) -> About:
        """What the data centre says, when it was judged; all that the meter did is followed."""
        async with self._lock:
            meter, key = await self._settled(unlock)
            with self.personal():
                await self._refresh()
                about, meter = await self.following.about(meter, key)
                await self.following.follow(meter, key)
        return about

    async def history(self, after: int, unlock: Unlock) -> tuple[bytes, ...]:
        """Transactions above a counter, as they were signed."""
        async with self._lock:
            meter, key = await self._settled(unlock)
            with self.personal():
                await self._refresh()
                meter = await self.following.follow(meter, key)
                history = await self.following.history(meter, key, after)
                transactions(meter.mailer, history, after)
        return history.transactions

    async def rates(self, command: str, pieces: Sequence[Weighed]) -> list[int | str]:
        """Of each its postage, or why there is none; nothing is franked, and nobody is asked."""
        kind = self.believing.meter().mailer.value_kind or UNITS
        await self.joiner.rates.admitted(command)
        return await self.joiner.rates.judged(command, pieces, kind)

    async def order(self, wanted: Wanted, unlock: Unlock, approve: Approve) -> Result:
        """Done once, however often it is asked for."""
        async with self._lock:
            with self.joiner.talker.following():
                return await self._ordered(wanted, unlock, approve)

    async def result(self, order: bytes, unlock: Unlock) -> Result | None:
        """Of an order that is kept; None: there is none of this id. Raises MeterError ID_USED for one that is over."""
        async with self._lock:
            kept = self.joiner.store.order()
            if kept is None or kept.order != order:
                self._check_unused(order)
                return None
            with self.personal():
                return await self._settle(kept, unlock)

    def taken(self, order: bytes) -> None:
        """Whoever ordered has the result. Raises MeterError ASKING where there is none yet."""
        kept = self.joiner.store.order()
        if kept is None or kept.order != order:
            return
        if kept.transaction is None:
            raise MeterError(MeterFault.ASKING, "what became of it is not known yet")
        self.joiner.store.keep_taken(kept)

    def set_allowance(self, daily: int) -> None:
        """How much may be franked in a day without a question, by the person's own word; 0: each is asked about."""
        words = f"{daily} may be franked in a day without a question"
        entry = Entry(Kind.SETTING_CHANGED, words=words)
        self.joiner.store.keep_allowance(replace(self.joiner.store.allowance(), daily=daily), entry)

    @property
    def is_unsettled(self) -> bool:
        """Whether something was asked, and nobody waits for its answer, as after a power cut."""
        return not self._lock.locked() and not self._needs_key and self.has_asked

    @property
    def has_asked(self) -> bool:
        """Whether the answer to something is not known."""
        kept, meter = self.joiner.store.order(), self.joiner.store.meter()
        return kept is not None and kept.transaction is None and meter is not None and not meter.mailer.fault

    async def go_on(self, pauses: Pauses) -> None:
        """What was asked is asked again, with the same octets."""
        async with self._lock:
            kept = self.joiner.store.order()
            if kept is None or kept.transaction is not None:
                return
            try:
                self._done(kept, await self._asked(kept))
            except UnknownBoxError:
                self._needs_key = True

    async def _settled(self, unlock: Unlock) -> tuple[KeptMeter, bytes]:
        """The meter and its key, when nothing is under way any more."""
        meter, kept = self.believing.meter(), self.joiner.store.order()
        key = self.joiner.store.key_of(meter, await unlock())
        if kept is not None and kept.transaction is None and not meter.mailer.fault:
            with self.personal():
                await self._settle(kept, unlock)
        return self.believing.meter(), key

    def _check_unused(self, order: bytes) -> None:
        if order in self.joiner.store.taken():
            raise MeterError(MeterFault.ID_USED, "the result of this order was taken already, or will never be known")

    async def _settle_before_joining(self, master_key: bytes) -> None:
        """Who has a new key hears of what was asked with the one before now, or never."""
        kept = self.joiner.store.order()
        if kept is None or not self.has_asked:
            return

        async def unlock() -> bytes:
            return master_key

        try:
            await self._settle(kept, unlock)
        except RefusedError as error:
            if error.refusal is Refusal.UNAVAILABLE:
                raise
        except MeterError:
            # From an answer that is not believed only signing on goes on.
            return

    async def _ordered(self, wanted: Wanted, unlock: Unlock, approve: Approve) -> Result:
        """While nothing else is done with the meter."""
        kept = self.joiner.store.order()
        if kept is None:
            self._check_unused(wanted.order)
            kept = await self._begin(wanted, unlock, approve)
        elif kept.order != wanted.order:
            raise MeterError(MeterFault.NOT_TAKEN, "the result of another order was not taken yet")
        elif kept.wanted != digest_of(wanted):
            raise MeterError(MeterFault.ID_USED, "this order was for something else")
        with self.personal():
            return await self._settle(kept, unlock)

    async def _begin(self, wanted: Wanted, unlock: Unlock, approve: Approve) -> KeptOrder:
        """A new request, approved and kept."""
        meter = self.believing.sound()
        if wanted.serial not in (None, meter.mailer.serial):
            raise MeterError(MeterFault.OTHER_METER, f"the meter here is {meter.mailer.serial}")
        key = self.joiner.store.key_of(meter, await unlock())
        with self.personal():
            await self._refresh()
            meter = await self.following.follow(meter, key)
            await self._check_places(wanted, meter, key)
            plan = await wanted.plan(meter.mailer, self.joiner.rates, self._presented)
        allowance = self._allowed(plan)
        is_used = await approve(plan, meter.mailer, allowance is not None)
        request = plan.make(self.joiner.random(ID_SIZE), self.following.asked_at)
        kept = KeptOrder(wanted.order, digest_of(wanted), request.octets(), authenticated(key, request), plan.words)
        self.joiner.store.keep_order(kept, allowance if is_used else None)
        self._needs_key = False
        return kept

    async def _check_places(self, wanted: Wanted, meter: KeptMeter, key: bytes) -> None:
        """Nobody is asked about what the data centre would refuse. Raises RefusedError WRONG_ORIGIN."""
        if wanted.is_placed(meter.mailer):
            return
        # An operator may have changed them since.
        _, meter = await self.following.about(meter, key)
        if not wanted.is_placed(meter.mailer):
            raise RefusedError(Refusal.WRONG_ORIGIN)

    async def _settle(self, kept: KeptOrder, unlock: Unlock) -> Result:
        """What an order has become; it is asked for again where that is not known."""
        if kept.transaction is None or kept.registers is None:
            await self._refresh()
            done = await self._asked(kept)
            try:
                return self._done(kept, done)
            except UnknownBoxError:
                meter = self.believing.meter()
                await self.following.about(meter, self.joiner.store.key_of(meter, await unlock()))
            return self._done(kept, done)
        return Result(kept.registers, kept.transaction)

    async def _asked(self, kept: KeptOrder) -> Done:
        """The answer, unjudged. A refusal ends the order."""
        order = read_order(kept.request)
        kind: type[Franked | Loaded | Refunded] = Refunded
        if isinstance(order, FrankRequest):
            kind = Franked
        elif isinstance(order, LoadRequest):
            kind = Loaded
        try:
            return await self.following.hold(kept.authenticated, kind, kept.words)
        except RefusedError as error:
            if error.refusal is not Refusal.UNAVAILABLE:
                words = f"{kept.words}: {error.refusal}"
                self.joiner.store.forget_order(Entry(Kind.COMPONENT_RUN, Outcome.FAILED, words=words))
            raise

    def _done(self, kept: KeptOrder, done: Done) -> Result:
        """Judged, and kept with the order in one moment."""
        order = read_order(kept.request)
        meter = self.believing.judged(self.believing.meter(), partial(with_done, order=order, done=done))
        if isinstance(order, FrankRequest):
            meter = replace(meter, last=done.transaction)
        integrity = (order.integrity or b"") if isinstance(order, FrankRequest) else b""
        counter = meter.mailer.registers.counter
        entry = Entry(
            Kind.COMPONENT_RUN, Outcome.APPROVED, words=f"counter {counter}: {kept.words}", integrity_value=integrity
        )
        kept = replace(kept, transaction=done.transaction, registers=done.registers)
        self.joiner.store.keep_done(meter, kept, entry)
        self.believing.tell(meter)
        return Result(done.registers, done.transaction)

    async def _refresh(self, age: int = DIRECTORY_AGE) -> None:
        await self.directory.refresh(Pauses(self.joiner.random), age)

    def _presented(self, presentation: Presentation, request: bytes) -> bytes:
        server = server_for(self.joiner.talker, Usage.METERING)
        return presentation.signed(self.joiner.device.signing_key, server.server, request)

    def _allowed(self, plan: Plan) -> Allowance | None:
        if plan.operation is not Operation.FRANK or plan.fee:
            return None
        return self.joiner.store.allowance().after(plan.amount, self.following.now // DAY)

"""The device's side of its back office as one: what goes on by itself, and what persons ask for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from fob_device.components.boot_record import Phase
from fob_device.components.equipment import Equipment
from fob_device.components.machine import Machine
from fob_device.components.running import FoundComponent
from fob_device.integrity.copies import Copies
from fob_device.integrity.desk import CopyDesk
from fob_device.integrity.program import Program
from fob_device.integrity.standings import Standings
from fob_device.integrity.store import CopyStore
from fob_device.metering.meter import Meter, Surroundings
from fob_device.metering.rating import Rates
from fob_device.office.carrier import Carrier, NotCarriedError
from fob_device.office.configuring import Configuring, NotInstalledError
from fob_device.office.directory import Directory
from fob_device.office.options import Options
from fob_device.office.progress import Progress, Told
from fob_device.office.registering import Registering
from fob_device.office.store import OfficeStore
from fob_device.office.talker import Talker
from fob_device.office.trouble import is_away, name_of_trouble
from fob_device.office.workshop import PowerCutError, Workshop
from fob_device.store.errors import TokenFileError
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_OPTIONS
from fob_protocol.errors import ProtocolError
from fob_protocol.metering.faults import MeterError
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Usage
from fob_protocol.office.configuration import Purpose
from fob_protocol.office.entitlements import Used
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import Template
from fob_protocol.office.retries import Pauses
from fob_protocol.office.trusted_time import passed_time
from fob_protocol.pkcs11.errors import CkrError

# What may go wrong with something that is tried again.
FAILURES: Final = (
    ProtocolError, NotCarriedError, NotInstalledError, OSError, CkrError, TokenFileError, PowerCutError
)  # fmt: skip

_BY_PHASE: Final = {Phase.FETCHING: "fetching", Phase.STAGED: "staged", Phase.TRIAL: "trial"}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a back office is put together from. `announce` tells every computer, `changed` who looks at the device.

    `own` is the device's own program, None: it is not measured. `clock` is the device's own, in seconds since 1970;
    `passed` one that nobody sets, in seconds.
    """

    store: OfficeStore
    device: Equipment
    machine: Machine
    options: Options
    carrier: Carrier
    clock: Callable[[], float]
    random: Random
    announce: Callable[[Event], None]
    changed: Callable[[], None] = lambda: None
    own: Program | None = None
    passed: Callable[[], float] = passed_time


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    purpose: Purpose
    done: asyncio.Future[None]


class BackOffice:
    """`run` it for as long as the device has power."""

    def __init__(self, parts: Parts) -> None:
        """Raises TokenFileError, CkrError."""
        self.store = parts.store
        self.device = parts.device
        self.machine = parts.machine
        self.options = parts.options
        self.progress = Progress(parts.announce, parts.changed)
        # Why the last try of what goes on by itself came to nothing.
        self.trouble = ""
        # Clear while components are started: whoever asks for them then waits.
        self.started = asyncio.Event()
        self.workshop = Workshop()
        # Commands of components: one at a time, and none waits for an installation.
        self.calls = Workshop()
        self._measuring = Workshop()
        self._parts = parts
        self._talker = Talker(parts.store, parts.carrier, self.progress, parts.clock, parts.passed)
        self._directory = Directory(parts.device, self._talker, parts.random)
        self._configuring = Configuring(
            parts.store, parts.device, parts.machine, self.workshop, self._talker, self._directory, self.progress,
            parts.random, self.started, self._options_changed,
        )  # fmt: skip
        self._registering = Registering(parts.store, parts.device, self._talker, self._directory, parts.random)
        self._news = asyncio.Event()
        items = parts.store.items
        desk = CopyDesk(
            CopyStore(items.database, items.root), parts.device, self._talker, self._directory,
            parts.store.next_counter, parts.random,
        )  # fmt: skip
        self.standings = Standings(desk.store, parts.own, lambda: desk.now, parts.passed)
        self.copies = Copies(
            desk, self.standings, self._measuring, parts.random, self._copy_changed, self._hurry, self._rest
        )
        rates = Rates(parts.machine, parts.options, self.calls, self.copies, self.standings)
        self.meter = Meter.of(
            Surroundings(items, parts.device, self._talker, rates, parts.random, self._copy_changed),
            self._directory, self._personal,
        )  # fmt: skip
        self._wishes: list[_Wish] = []
        self._told_set = parts.machine.boot.record.set_number

    @property
    def talker(self) -> Talker:
        """What is known of servers."""
        return self._talker

    @property
    def state(self) -> str:
        """One word (docs/protocol.md, section 4.3)."""
        phase = self.machine.boot.record.phase
        if phase in _BY_PHASE:
            return _BY_PHASE[phase]
        if self.progress.now.words:
            return "asking"
        return "running" if self.machine.running.held else "generic"

    @property
    def words(self) -> str:
        """What the device does, or what was wrong."""
        return self.progress.now.words or self.trouble

    async def run(self) -> None:
        """What is installed runs; what was begun is ended; the first configuration is asked for (C13)."""
        pauses = Pauses(self._parts.random)
        self.copies.started(())
        try:
            with suppress(*FAILURES):
                self._configuring.tidy()
            with suppress(*FAILURES):
                await self._configuring.power_on()
            while True:
                await self._next(pauses)
        finally:
            self._talker.rest()
            await self._talker.close()

    def wake(self) -> None:
        """A computer appeared: whatever waits to try again tries at once."""
        self._talker.wake()

    async def configure(self, purpose: Purpose) -> None:
        """When what the office sent runs. Who stops waiting stops nothing. Raises FAILURES."""
        wish = _Wish(purpose, asyncio.get_running_loop().create_future())
        self._wishes.append(wish)
        self._news.set()
        self._talker.wake()
        try:
            await asyncio.shield(wish.done)
        finally:
            if not wish.done.done():
                wish.done.cancel()

    async def knows_server(self, server: str) -> bool:
        """Whether one registers there; who is not known yet may have come since. Raises FAILURES."""
        if not self._is_listed(server):
            with self._personal():
                await self._directory.refresh(Pauses(self._parts.random))
        return self._is_listed(server)

    async def template(self, server: str) -> Template:
        """What a server asks for. Raises FAILURES."""
        with self._personal():
            await self._directory.refresh(Pauses(self._parts.random))
            return await self._registering.template(server)

    async def register(self, server: str, fields: Mapping[str, str], master_key: bytes) -> None:
        """`master_key` is what the PIN opens. Raises FAILURES, FieldsError."""
        with self._personal():
            await self._directory.refresh(Pauses(self._parts.random))
            await self._registering.register(server, fields, master_key)

    async def use(
        self, server: str, computer: bytes, application: str, path: str, body: bytes, master_key: bytes
    ) -> Used:
        """A request to an application, from a computer (H of its public key). Raises FAILURES, NotRegisteredError."""
        with self._personal():
            return await self._registering.use(server, computer, application, path, body, master_key)

    def lose_power(self) -> None:
        """Nothing goes on; what has begun in a thread is finished first."""
        self.workshop.close()
        self.calls.close()
        self._measuring.close()
        self.progress.stop()
        self._registering.forget_sessions()

    async def _next(self, pauses: Pauses) -> None:
        job = self._job()
        if job is None:
            self._rest()
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.copies.seconds_until_due):
                    await self._news.wait()
            return
        try:
            await job(pauses)
        except FAILURES as error:
            self._directory.doubt(error)
            self.trouble = name_of(error)
            self._rest()
            await self._talker.pause(pauses.after(_seconds(error)), is_away=is_away(error))
        else:
            self.trouble = ""
            pauses.begin_anew()

    def _is_listed(self, server: str) -> bool:
        return server in {one.server for one in self._talker.known.listed(Usage.REGISTRATION)}

    def _job(self) -> Callable[[Pauses], Awaitable[None]] | None:
        """What is to be done next: what a person waits for, what was begun, what the device wants by itself."""
        self._wishes = [wish for wish in self._wishes if not wish.done.done()]
        if self._wishes:
            return partial(self._grant, self._wishes.pop(0))
        if self._configuring.is_unfinished:
            return partial(self._by_itself, self._configuring.go_on)
        if not self.store.is_configured():
            return partial(self._configuring.configure, Purpose.FIRST)
        if self._registering.options_changed:
            return self._reconfigure
        if self.meter.is_unsettled:
            return partial(self._by_itself, self.meter.go_on)
        return partial(self._by_itself, self.copies.go_on) if self.copies.seconds_until_due == 0 else None

    async def _by_itself(self, job: Callable[[Pauses], Awaitable[None]], pauses: Pauses) -> None:
        """What asks for no directory of its own."""
        if self._directory.is_doubted:
            await self._directory.ask(pauses)
        await job(pauses)

    async def _grant(self, wish: _Wish, _: Pauses) -> None:
        """Whoever waits hears what came of it; nothing is tried again by itself."""
        pauses = Pauses(self._parts.random)
        try:
            if self._directory.is_doubted and self._configuring.is_unfinished:
                await self._directory.ask(pauses)
            await self._configuring.configure(wish.purpose, pauses)
        except FAILURES as error:
            self._directory.doubt(error)
            self.trouble = name_of(error)
            if not wish.done.done():
                wish.done.set_exception(error)
        else:
            self.trouble = ""
            if not wish.done.done():
                wish.done.set_result(None)
        finally:
            self._rest()

    async def _reconfigure(self, pauses: Pauses) -> None:
        """A server's entitlements name other components: the device's order is another one now (X7)."""
        try:
            await self._configuring.configure(Purpose.AGAIN, pauses)
        except RefusedError as error:
            # Until the office has a release for what runs there is nothing to ask for.
            if error.refusal is not Refusal.LACKING:
                raise
        self._registering.options_changed = False

    @contextmanager
    def _personal(self) -> Iterator[None]:
        """A person waits for what the block does."""
        self._talker.wake()
        try:
            yield
        except FAILURES as error:
            self._directory.doubt(error)
            raise
        finally:
            # Of options that have changed, or a meter that was asked in vain.
            self._news.set()
            self._rest()

    def _hurry(self) -> None:
        """Copies are asked about as soon as may be."""
        self._news.set()
        self._talker.hurry()

    def _copy_changed(self, event: Event) -> None:
        self._parts.announce(event)
        self._parts.changed()

    def _rest(self) -> None:
        if not self._talker.is_busy:
            self.progress.tell(Told())
        self._talker.rest()

    def _options_changed(self) -> None:
        """Tell everybody, when it is another set than before."""
        number = self.machine.boot.record.set_number
        self.copies.started(map(_program, self.machine.running.found))
        self._parts.changed()
        if number != self._told_set:
            self._told_set = number
            self._parts.announce(Event(EVENT_OPTIONS, (number,)))


def name_of(error: Exception) -> str:
    """For people and programs: the name of the rule, or of what is in the way."""
    match error:
        case OfficeError() | RefusedError() | NotCarriedError():
            return name_of_trouble(error)
        case MeterError():
            return error.fault
        case NotInstalledError():
            return error.reason
    return "device-error"


def _program(found: FoundComponent) -> Program:
    release = found.release
    needs = tuple(needed.id for needed in release.dependencies)
    return Program(release.id, release.version, release.digest, lambda: found.octets, needs, found.fault)


def _seconds(error: Exception) -> int | None:
    if isinstance(error, RefusedError):
        return error.retry_after
    return error.seconds if isinstance(error, NotCarriedError) else None

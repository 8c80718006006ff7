"""One device's meter, used from here: what can be asked of it, one order at a time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from fob_daemon.control.office_reports import DeviceOffice, MeterChange
from fob_daemon.metering.appearance import Appearance, appearance_of
from fob_daemon.metering.batches import Batches, check_pieces
from fob_daemon.metering.cleansing import cleansed
from fob_daemon.metering.drafts import Drafts, Writer
from fob_daemon.metering.franking import Franking, Tell
from fob_daemon.metering.jobs import Job, Kept, Kind, Money
from fob_daemon.metering.joining import Joining
from fob_daemon.metering.kept.disk import Disk
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.known import KnownMeter
from fob_daemon.metering.orders import Orders
from fob_daemon.metering.paying import Paying, unused
from fob_daemon.metering.records import Records
from fob_daemon.metering.remote_meter import RemoteMeter
from fob_daemon.metering.reports import Begun, Ended, MeterReport, Paid, SignedOn, TakenOver
from fob_daemon.metering.settling import Settling
from fob_daemon.metering.views import MeterAbout, MeterState, MeterTerms, Piece, SignUp
from fob_protocol.caller import Caller


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
        orders = Orders(remote, self._disk, random)
        self._known = KnownMeter(remote, self._disk)
        self._settling = Settling(orders, self._known)
        self._batches = Batches(self._disk, Drafts(time.monotonic), self._settling, self._known, clock)
        self._franking = Franking(self._batches, orders, self._settling, self._known, clock)
        self._joining = Joining(orders, self._settling, self._known, self._batches)
        self._paying = Paying(orders, self._settling, self._known)
        self._records = Records(remote, self._known, self._disk)
        # One order at a time: the device keeps one.
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """The device was unpaired, or the daemon ends."""
        await self._disk.close()

    async def known(self) -> MeterState | None:
        """What it told last; no round trip."""
        return await self._known.last()

    async def state(self) -> MeterState:
        """What the device keeps now."""
        return await self._known.now()

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
        waiting = await self._batches.count_waiting()
        return MeterReport(device, known, waiting, await self._records.last_amount(known.serial))

    def ended(self) -> list[Ended]:
        """What became of orders whose commands were cut, said once."""
        return self._settling.ended()

    async def terms(self) -> MeterTerms:
        """What may be had."""
        return await self.remote.terms()

    async def about(self) -> MeterAbout:
        """What the data centre says now."""
        return await self.remote.about()

    async def sign_up(self, wanted: SignUp, *, replaces: bool = False) -> SignedOn:
        """A new account and meter. `replaces`: another mailer's meter makes room on the device."""
        async with self._lock:
            return await self._joining.join(wanted.name, lambda: self.remote.sign_up(wanted), replaces=replaces)

    async def sign_on(self, name: str, *, replaces: bool = False) -> SignedOn:
        """To an account that there is; `replaces` as in `sign_up`."""
        async with self._lock:
            return await self._joining.join(name, lambda: self.remote.sign_on(name), replaces=replaces)

    async def history(self, after: int) -> tuple[bytes, ...]:
        """Transactions above a counter, as they were signed."""
        return await self.remote.history(after)

    async def kept(self, job: int | None) -> list[Kept]:
        """Transactions that franked and are here, the newest first; of one batch, or of all."""
        return await self._records.kept(job)

    async def record(self, counter: int, serial: str = "") -> bytes:
        """The transaction with this counter of a meter, else of the device's; fetched where it is not kept here."""
        return await self._records.one(counter, serial)

    async def given_back(self) -> set[bytes]:
        """Indicia that are void, as far as this computer gave them back."""
        return await self._records.given_back()

    async def appearance(self) -> Appearance:
        """Layout and slogan of what is printed."""
        return await appearance_of(self._office, self._disk)

    async def jobs(self) -> list[Job]:
        """The newest batches."""
        return await self._batches.newest()

    async def begin_job(self, command: str, writer: Writer | None = None) -> Begun:
        """A batch to add pieces to; refused while another one was cut, or is being written by another program.

        It is `writer`'s until the first of it is asked for. One of which nothing was franked is dropped.
        """
        self._batches.check_free(writer)
        async with self._lock:
            return await self._batches.begin(command, writer)

    async def cleansed(self, pieces: Sequence[Piece]) -> tuple[Piece, ...]:
        """With the addresses that have to stand on them, by a component of the device; nothing is franked."""
        return await cleansed(self._office, pieces)

    async def add(self, job: int, pieces: Sequence[Piece]) -> int:
        """How many pieces it has now."""
        check_pieces(pieces)
        async with self._lock:
            return await self._batches.add(job, pieces)

    async def resumable(self) -> Job:
        """The batch that was cut; also one that was cut when all of it was paid, and nobody heard so."""
        return await self._batches.resumable()

    async def frank(self, number: int, caller: Caller | None, tell: Tell, *, judges: bool = False) -> Job:
        """What is not franked yet of a batch, request after request.

        `tell` hears how far they are looked at before that, and of each as soon as it is on the disk here, before the
        device is told that it was taken. `judges`: a single piece is looked at too before it is paid, as those of a
        batch are.
        """
        async with self._lock:
            with self._batches.being_franked(number):
                return await self._franking.frank(number, caller, tell, judges=judges)

    async def give_up(self, number: int = 0) -> Job:
        """What is franked of a batch stays; the rest is forgotten. Without a number: of the one that was cut."""
        async with self._lock:
            return await self._batches.give_up(number)

    async def load(self, amount: int, caller: Caller | None) -> Paid:
        """Money onto the meter."""
        async with self._lock:
            return await self._paying.pay(Kind.LOAD, Money(amount), caller)

    async def refund(self, amount: int | None, counter: int, piece: int, caller: Caller | None) -> Paid:
        """Money back; without an amount the indicium of a transaction that was not used."""
        money = Money(amount) if amount is not None else unused(await self.record(counter), piece)
        async with self._lock:
            return await self._paying.pay(Kind.REFUND, money, caller)

    async def take_over(self) -> TakenOver:
        """The result that the device keeps, of an order of this computer, or of another one."""
        async with self._lock:
            return await self._settling.take_over()

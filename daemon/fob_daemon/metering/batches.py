"""Batches: begun by one program at a time, added to, gone on with, given up."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fob_daemon.metering.drafts import Drafts, Writer
from fob_daemon.metering.jobs import Job, Kept
from fob_daemon.metering.kept.disk import Disk
from fob_daemon.metering.kept.job_rows import NotOpenError
from fob_daemon.metering.known import KnownMeter
from fob_daemon.metering.limits import JOBS_LISTED
from fob_daemon.metering.pieces import fault_of
from fob_daemon.metering.refusing import no_job, no_meter, not_added, not_open, other_meter, unfinished
from fob_daemon.metering.reports import Begun
from fob_daemon.metering.settling import Settling
from fob_daemon.metering.views import MeterState, Piece
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class Batches:
    """Methods raise CkrError, ControlError. `drafts`: whose batch is being written; `clock` in seconds since 1970."""

    def __init__(
        self, disk: Disk, drafts: Drafts, settling: Settling, known: KnownMeter, clock: Callable[[], float]
    ) -> None:
        self._disk = disk
        self._drafts = drafts
        self._settling = settling
        self._known = known
        self._clock = clock

    async def newest(self) -> list[Job]:
        """The newest first."""
        return await self._disk(lambda store: store.jobs.newest(JOBS_LISTED))

    async def count_waiting(self) -> int:
        """Pieces of those that were cut."""
        jobs, written = await self.newest(), self._drafts.written
        return sum(job.total - job.done for job in jobs if job.is_unfinished and job.number != written)

    def check_free(self, writer: Writer | None) -> None:
        """Raises ControlError while a batch is being written by another program."""
        self._drafts.check_free(writer)

    async def begin(self, command: str, writer: Writer | None) -> Begun:
        """`writer`'s until the first of it is asked for; refused while another one was cut, or is being written."""
        await self._settling.settle()
        self.check_free(writer)
        dropped = 0
        for job in await self.newest():
            if job.is_cut:
                raise unfinished(job)
            dropped += job.total if job.is_unfinished else 0
        meter = await self._meter()
        number = await self._disk(lambda store: store.jobs.begin(command, int(self._clock()), meter))
        self._drafts.begin(number, writer)
        return Begun(number, dropped)

    async def add(self, number: int, pieces: Sequence[Piece]) -> int:
        """How many pieces it has now. Each was looked at by `check_pieces`."""
        self._drafts.hear(number)
        try:
            return await self._disk(lambda store: store.jobs.add(number, pieces))
        except NotOpenError:
            raise not_open() from None
        except ValueError as error:
            raise not_added(str(error)) from None

    async def resumable(self) -> Job:
        """The one that was cut; also one that was cut when all of it was paid, and nobody heard so."""
        for job in await self.newest():
            if not job.is_closed and job.total:
                self._drafts.check_over(job.number)
                return job
        paid = await self._disk(lambda store: store.orders.kept(None, 1))
        raise no_job("nothing was franked", is_any_paid=bool(paid))

    async def give_up(self, number: int) -> Job:
        """What is franked of it stays; the rest is forgotten. 0: the one that was cut."""
        job = await self._open(number) if number else await self.resumable()
        await self._settling.settle()
        left = await self._disk(lambda store: store.jobs.one(job.number))
        await self.close(job.number)
        self._drafts.end(job.number)
        return left or job

    async def due(self, number: int) -> Job:
        """One that is not closed, with pieces."""
        job = await self._open(number)
        if job.total == 0:
            raise no_job("nothing was franked")
        return job

    async def waiting(self, number: int, limit: int) -> list[tuple[int, Piece]]:
        """Its next pieces without indicia, each with its place."""
        return await self._disk(lambda store: store.jobs.waiting(number, limit))

    async def last_of(self, number: int) -> Kept:
        """The transaction that came last of it."""
        [last] = await self._disk(lambda store: store.orders.kept(number, 1))
        return last

    async def close(self, number: int) -> None:
        """What is not franked of it never will be."""
        await self._disk(lambda store: store.jobs.close(number))

    async def check_own(self, job: Job) -> None:
        """That it is the device's meter's, by what is known here; the device has the last word."""
        known = await self._known.last()
        if known is not None and known.stage == "ready" and job.serial not in ("", known.serial):
            raise other_meter(job, known)

    @contextmanager
    def being_franked(self, number: int) -> Iterator[None]:
        """It is not being written any more; one that only lacks the PIN still is."""
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

    async def _meter(self) -> MeterState:
        """Whose a batch is; a round trip where it is not known."""
        known = await self._known.last()
        meter = known if known is not None and known.stage == "ready" else await self._known.now()
        if meter.stage != "ready":
            raise no_meter()
        return meter

    async def _open(self, number: int) -> Job:
        job = await self._disk(lambda store: store.jobs.one(number))
        if job is None or job.is_closed:
            raise no_job("nothing was franked")
        return job


def check_pieces(pieces: Sequence[Piece]) -> None:
    """Raises ControlError for the first one that no device takes."""
    for place, piece in enumerate(pieces):
        fault = fault_of(piece)
        if fault is not None:
            raise not_added(f"piece {place + 1} of {len(pieces)}: {fault}")

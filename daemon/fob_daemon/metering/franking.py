"""A batch is franked: looked at whole, then request after request, by the meter whose it is."""

from collections.abc import Callable
from contextlib import suppress

from fob_daemon.control.errors import ControlError
from fob_daemon.metering.batches import Batches
from fob_daemon.metering.jobs import Job, Kind, Order, Standing
from fob_daemon.metering.judging import judge
from fob_daemon.metering.known import KnownMeter
from fob_daemon.metering.limits import JOB_LIMIT, UNITS
from fob_daemon.metering.orders import Orders, is_fault
from fob_daemon.metering.pieces import first_request
from fob_daemon.metering.reports import Franked, Looked
from fob_daemon.metering.settling import Settling
from fob_protocol.caller import Caller
from fob_protocol.metering.faults import MeterFault
from fob_protocol.metering.limits import BATCH_LIMIT
from fob_protocol.office.refusals import Refusal
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

# Hears how far a batch is.
Tell = Callable[[Franked | Looked], None]


class Franking:
    """Methods raise CkrError, ControlError. `clock` in seconds since 1970."""

    def __init__(
        self, batches: Batches, orders: Orders, settling: Settling, known: KnownMeter, clock: Callable[[], float]
    ) -> None:
        self._batches = batches
        self._orders = orders
        self._settling = settling
        self._known = known
        self._clock = clock

    async def frank(self, number: int, caller: Caller | None, tell: Tell, *, judges: bool) -> Job:
        """What is not franked yet of a batch. What is told, and `judges`: see `MeterDesk.frank`."""
        job = await self._batches.due(number)
        await self._batches.check_own(job)
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
            await self._known.now()
            await self._batches.check_own(await self._batches.due(number))
            raise

    async def _frank(self, job: Job, caller: Caller | None, tell: Tell, *, judges: bool) -> Job:
        number = job.number
        order = await self._settling.resumed(lambda order: (order.kind, order.job) == (Kind.FRANK, number))
        if order is None and job.done == 0 and judges:
            await self._judge(job, tell)

        async def franked() -> None:
            done, last = await self._batches.due(number), await self._batches.last_of(number)
            tell(Franked(number, last.counter, last.pieces, last.amount, done.done, done.total))

        while order := order or await self._next(job):
            await self._orders.do(order, caller, franked)
            order = None
        job = await self._batches.due(number)
        await self._batches.close(number)
        return job

    async def _next(self, job: Job) -> Order | None:
        """The next request of a batch, written down; None when all is done."""
        waiting = await self._batches.waiting(job.number, BATCH_LIMIT)
        if not waiting:
            return None
        pieces = first_request([piece for _, piece in waiting])
        first, id_ = waiting[0][0], self._orders.new_id()
        return await self._orders.begin(
            Order(id_, Kind.FRANK, Standing.ASKED, job.number, job.command, job.serial, first, pieces)
        )

    async def _judge(self, job: Job, tell: Tell) -> None:
        """Before the first of its pieces is paid. Of a batch that would be refused nothing is kept."""
        waiting = await self._batches.waiting(job.number, JOB_LIMIT)
        known = await self._known.last()
        kind = (known.value_kind if known is not None else "") or UNITS
        pieces = [piece for _, piece in waiting]

        def looked(done: int) -> None:
            tell(Looked(job.number, done, job.total))

        try:
            await judge(self._orders.remote, job.command, pieces, kind, int(self._clock()), looked)
        except ControlError:
            await self._batches.close(job.number)
            raise


def _is_of_values(error: CkrError) -> bool:
    """The device has no price for a piece, or the mailer does not post there: nobody was asked, and nothing is kept."""
    if error.ckr is Ckr.FUNCTION_REJECTED:
        return error.reason.partition(":")[0] == Refusal.WRONG_ORIGIN
    return error.ckr is Ckr.ARGUMENTS_BAD

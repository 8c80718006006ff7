"""Each thing that is wanted of a meter is asked once, however often it is cut (M33).

An order is written down before it is asked, its result before the device is told that it was taken; so whoever is
killed between, this daemon, the device, the line or the data centre, the same order is asked again, and answered as
before. One is open at a time: the device keeps one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from fob_daemon.metering.jobs import Kind, Order, Standing
from fob_daemon.metering.kept.disk import Disk
from fob_daemon.metering.reading import done_of, known_after, result_of, transaction_of, value_kind_of
from fob_daemon.metering.remote_meter import RemoteMeter
from fob_daemon.metering.views import Result
from fob_protocol.caller import Caller
from fob_protocol.metering.faults import MeterFault
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

ORDER_SIZE: Final = 16


class Settled(NamedTuple):
    """An order that is not open any more. No result: nobody knows whether it was done."""

    order: Order
    result: Result | None


@dataclass(frozen=True, slots=True)
class Orders:
    """Every method raises CkrError, ControlError."""

    remote: RemoteMeter
    disk: Disk
    random: Callable[[int], bytes]

    async def open(self) -> Order | None:
        """The one that is not settled."""
        return await self.disk(lambda store: store.orders.open())

    def new_id(self) -> bytes:
        """16 octets."""
        return self.random(ORDER_SIZE)

    async def begin(self, order: Order) -> Order:
        """Written down; it is asked next."""
        await self.disk(lambda store: store.orders.begin(order))
        return order

    async def do(
        self, order: Order, caller: Caller | None, have: Callable[[], Awaitable[None]] | None = None
    ) -> Result:
        """What it comes to: two round trips, one where the result is here already.

        `have` is awaited between them: the result is on the disk, and the device still keeps it.
        """
        if order.standing is Standing.ASKED:
            try:
                result = await self._ask(order, caller)
            except CkrError as error:
                if _is_over(error):
                    await self.give_up(order)
                elif is_fault(error, MeterFault.OTHER_METER):
                    # It was never begun, so the batch goes on when its own meter is there again.
                    await self.disk(lambda store: store.orders.drop(order.id))
                raise
            await self._finish(order, result)
        else:
            result = await self._kept(order)
        if have is not None:
            await have()
        await self._take(order)
        return result

    async def settle(self) -> Settled | None:
        """Whatever was begun is done, or was never done and is forgotten. No round trip where nothing is open.

        None: nothing was done.
        """
        order = await self.open()
        if order is None:
            return None
        if order.standing is Standing.ASKED:
            try:
                result = await self.remote.result(order.id)
            except CkrError as error:
                if _is_over(error):
                    await self.give_up(order)
                    return Settled(order, None)
                if error.ckr not in (Ckr.ARGUMENTS_BAD, Ckr.FUNCTION_NOT_SUPPORTED):
                    raise
                # The device keeps none of this id: nobody said yes to it, or the data centre said no.
                await self.disk(lambda store: store.orders.drop(order.id))
                return None
            await self._finish(order, result)
        else:
            result = await self._kept(order)
        await self._take(order)
        return Settled(order, result)

    async def give_up(self, order: Order) -> None:
        """No result will be heard here, and it may have been paid: it and its batch are never asked for again."""
        await self.disk(lambda store: store.orders.drop(order.id))
        job = order.job
        if job is not None:
            await self.disk(lambda store: store.jobs.close(job))

    async def adopt(self, id_: bytes) -> Result:
        """The result of an order that this computer did not give, or does not know any more."""
        result = await self.remote.result(id_)
        order = await self.begin(Order(id_, Kind.FOREIGN))
        await self._finish(order, result)
        await self._take(order)
        return result

    async def _ask(self, order: Order, caller: Caller | None) -> Result:
        money = order.money
        if order.kind is Kind.FRANK:
            return await self.remote.frank(order.id, order.command, order.serial, order.pieces, caller)
        if order.kind is Kind.LOAD:
            return await self.remote.load(order.id, money.amount or 0, caller)
        if order.kind is Kind.REFUND:
            return await self.remote.refund(order.id, money.amount, money.indicium, money.token, caller)
        return await self.remote.result(order.id)

    async def _finish(self, order: Order, result: Result) -> None:
        done = done_of(result)
        if order.kind is Kind.FRANK and done.pieces != len(order.pieces):
            why = f"the device's answer: {done.pieces} indicia for {len(order.pieces)} pieces"
            raise CkrError(Ckr.DEVICE_ERROR, why)
        kind = value_kind_of(transaction_of(result.transaction))
        await self.disk(lambda store: store.orders.finish(order, done, kind))
        known = known_after(await self.disk(lambda store: store.told.state()), result)
        await self.disk(lambda store: store.told.keep_state(known))

    async def _kept(self, order: Order) -> Result:
        return result_of(await self.disk(lambda store: store.orders.record_of(order.id)))

    async def _take(self, order: Order) -> None:
        await self.remote.taken(order.id)
        await self.disk(lambda store: store.orders.taken(order.id))


def is_fault(error: CkrError, fault: MeterFault) -> bool:
    """Whether the device says this by its name."""
    return error.ckr is Ckr.GENERAL_ERROR and error.reason.partition(":")[0] == fault


def _is_over(error: CkrError) -> bool:
    """Another computer took its result, or a sign-on ended it."""
    return is_fault(error, MeterFault.ID_USED)

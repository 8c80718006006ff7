"""Orders whose commands were cut: settled before anything else is asked, and told to whoever asks next."""

from collections.abc import Callable

from fob_daemon.metering.jobs import Order
from fob_daemon.metering.known import KnownMeter
from fob_daemon.metering.orders import Orders
from fob_daemon.metering.reading import ended_of, transaction_of
from fob_daemon.metering.refusing import nothing_to_take
from fob_daemon.metering.reports import Ended, TakenOver
from fob_daemon.metering.views import Result


class Settling:
    """Methods raise CkrError, ControlError."""

    def __init__(self, orders: Orders, known: KnownMeter) -> None:
        self._orders = orders
        self._known = known
        self._ended: list[Ended] = []

    def ended(self) -> list[Ended]:
        """What became of such orders, said once."""
        ended, self._ended = self._ended, []
        return ended

    async def settle(self) -> Order | None:
        """Before something else: what was done is said with what comes of that. The order that is lost, if it is."""
        settled = await self._orders.settle()
        if settled is None:
            return None
        self._ended.append(await self._ended_of(settled.result))
        return settled.order if settled.result is None else None

    async def resumed(self, is_wanted: Callable[[Order], bool]) -> Order | None:
        """The open order, where it is what somebody wants again; another one is settled first."""
        order = await self._orders.open()
        if order is not None and not is_wanted(order):
            await self.settle()
            return None
        return order

    async def take_over(self) -> TakenOver:
        """The result that the device keeps, of an order of this computer, or of another one."""
        settled = await self._orders.settle()
        if settled is not None:
            ended = await self._ended_of(settled.result)
            # Another mailer may have signed on since it was ordered.
            return TakenOver(ended, True, await self._known.now())
        state = await self._known.now()
        if not state.order:
            raise nothing_to_take()
        result = await self._orders.adopt(bytes.fromhex(state.order))
        return TakenOver(await self._ended_of(result), False, await self._known.last_or_now())

    async def _ended_of(self, result: Result | None) -> Ended:
        if result is None:
            return ended_of(None, (await self._known.last_or_now()).value_kind)
        return ended_of(result, await self._known.value_kind(transaction_of(result.transaction).serial))

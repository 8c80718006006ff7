"""Money onto the meter and back, and indicia given back: each once, however often it is cut."""

from fob_daemon.metering.jobs import Kind, Money, Order
from fob_daemon.metering.known import KnownMeter
from fob_daemon.metering.orders import Orders
from fob_daemon.metering.reading import transaction_of
from fob_daemon.metering.refusing import no_piece
from fob_daemon.metering.reports import Paid
from fob_daemon.metering.settling import Settling
from fob_protocol.caller import Caller


class Paying:
    """Methods raise CkrError, ControlError."""

    def __init__(self, orders: Orders, settling: Settling, known: KnownMeter) -> None:
        self._orders = orders
        self._settling = settling
        self._known = known

    async def pay(self, kind: Kind, money: Money, caller: Caller | None) -> Paid:
        """The same again goes on with the one that was cut."""
        order = await self._settling.resumed(lambda order: (order.kind, order.money) == (kind, money))
        is_resumed = order is not None
        order = order or await self._orders.begin(Order(self._orders.new_id(), kind, money=money))
        result = await self._orders.do(order, caller)
        return Paid(transaction_of(result.transaction).amount, is_resumed, await self._known.last_or_now())


def unused(record: bytes, piece: int) -> Money:
    """What is given back: the indicium of a transaction's piece. Raises ControlError."""
    it = transaction_of(record)
    if piece >= len(it.indicia):
        raise no_piece(it.counter, len(it.indicia))
    indicated = it.indicia[piece]
    return Money(None, indicated.indicium, indicated.token)

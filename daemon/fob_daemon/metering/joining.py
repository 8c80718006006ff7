"""Signing up and on: what the device had is settled first, and no batch is left without its meter."""

from collections.abc import Awaitable, Callable

from fob_daemon.device.away import AwayError
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.metering.batches import Batches
from fob_daemon.metering.jobs import Order, Standing
from fob_daemon.metering.known import KnownMeter
from fob_daemon.metering.orders import Orders
from fob_daemon.metering.refusing import NOT_REPLACED, has_meter, unfinished
from fob_daemon.metering.reports import SignedOn
from fob_daemon.metering.settling import Settling
from fob_daemon.metering.views import Joined
from fob_protocol.pkcs11.errors import CkrError


class Joining:
    """Methods raise CkrError, ControlError."""

    def __init__(self, orders: Orders, settling: Settling, known: KnownMeter, batches: Batches) -> None:
        self._orders = orders
        self._settling = settling
        self._known = known
        self._batches = batches

    async def join(self, name: str, join: Callable[[], Awaitable[Joined]], *, replaces: bool) -> SignedOn:
        """A sign-on ends what the device has asked for: so that is settled first, where it can be."""
        await self._check_replaced(name, replaces=replaces)
        lost: Order | None = None
        try:
            lost = await self._settling.settle()
        except CkrError as error:
            if isinstance(error, AwayError | FateUnknownError):
                raise
            # By the key that is over, or with a fault: only signing on goes on from there.
        joined = await join()
        lost = lost or await self._settle_joined()
        return SignedOn(joined.account, joined.serial, max(len(lost.pieces), 1) if lost else 0)

    async def _check_replaced(self, name: str, *, replaces: bool) -> None:
        """One round trip. A batch is its own meter's: it is never gone on with by another one's money."""
        state = await self._known.now()
        if state.stage != "ready" or state.name == name:
            return
        order = await self._orders.open()
        for job in await self._batches.newest():
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
            return await self._settling.settle()
        except (AwayError, FateUnknownError):
            # It is settled before the next thing that is asked.
            return None
        except CkrError:
            await self._orders.give_up(order)
            return order

"""Transactions as they were signed: kept here, or fetched from the data centre by the device whose meter it is."""

from fob_daemon.metering.jobs import Kept
from fob_daemon.metering.kept.disk import Disk
from fob_daemon.metering.known import KnownMeter
from fob_daemon.metering.limits import JOB_LIMIT
from fob_daemon.metering.reading import franked_of, transaction_of
from fob_daemon.metering.refusing import kept_elsewhere, not_kept
from fob_daemon.metering.remote_meter import RemoteMeter


class Records:
    """Methods raise CkrError, ControlError."""

    def __init__(self, remote: RemoteMeter, known: KnownMeter, disk: Disk) -> None:
        self._remote = remote
        self._known = known
        self._disk = disk

    async def one(self, counter: int, serial: str = "") -> bytes:
        """The transaction with this counter of a meter, or of the one that the device has; what is not here is fetched.

        Two meters count alike, so the counter alone finds another mailer's.
        """
        serial = serial or await self._known.serial()
        record = await self._disk(lambda store: store.orders.record(serial, counter))
        if record is None:
            state = await self._known.last_or_now()
            if serial != state.serial:
                raise kept_elsewhere(counter, serial, state)
            record = await self._fetched(counter, serial)
        if record is None or not franked_of(transaction_of(record)):
            raise not_kept(counter, serial)
        return record

    async def kept(self, job: int | None) -> list[Kept]:
        """Transactions that franked and are here, the newest first; of one batch, or of all."""
        return await self._disk(lambda store: store.orders.kept(job, JOB_LIMIT))

    async def given_back(self) -> set[bytes]:
        """Indicia that are void, as far as this computer gave them back."""
        return await self._disk(lambda store: store.orders.given_back())

    async def last_amount(self, serial: str) -> int:
        """What a meter's newest one cost that is here; 0 for none."""
        newest = await self._disk(lambda store: store.orders.kept(None, 1, serial))
        return newest[0].amount if newest else 0

    async def _fetched(self, counter: int, serial: str) -> bytes | None:
        for found in await self._remote.history(max(counter - 1, 0)):
            it = transaction_of(found)
            if (it.serial, it.counter) == (serial, counter):
                return found
        return None

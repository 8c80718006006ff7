"""Mailers after a backup of the database was put back: an operator orders the record that follows, for each account.

The key in it is one that nobody has. Who was replaced since the backup was made is not let in again by it: the mailer
signs on with name and password.
"""

from msgspec.structs import replace

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.authentication.records import UserRecords
from fob_office.centre.boxes.orders import read_order
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.authentication import RecoverMailer, Seen, SeenMailer, UserRecorded
from fob_office.centre.words import Word
from fob_office.surroundings import Surroundings
from fob_protocol.metering.vouchers import MailerOrder
from fob_protocol.office.hashing import digest, is_same


class Recovering:
    """Answers operators and function servers."""

    def __init__(self, vault: Vault, records: UserRecords, surroundings: Surroundings) -> None:
        self._vault = vault
        self._records = records
        self._surroundings = surroundings

    async def seen(self, peer: Pass, command: SeenMailer) -> Seen:
        """As the command says."""
        return Seen(await self._records.seen(command.account))

    async def recover(self, peer: Pass, command: RecoverMailer) -> UserRecorded:
        """As the command says."""
        now = self._surroundings.clock()
        order = read_order(self._vault, MailerOrder, command.order)
        record = self._records.read_old(command.record)
        if record.account != order.account or not is_same(digest(command.record), order.record):
            raise BusRefusedError(Word.TAMPERING, "the order is for another record")
        if order.counter <= max(record.counter, await self._records.seen(order.account) or 0):
            raise BusRefusedError(Word.STALE, f"a record {order.counter} was seen here")
        recovered = replace(
            record,
            key=order.key,
            counter=order.counter,
            last=digest(command.order),
            time=now,
            epoch=codes.epoch_after(record.epoch, now),
        )
        return UserRecorded(self._records.sign(recovered))

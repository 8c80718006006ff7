"""What operators want of a meter (M31), and a meter whose database was put back."""

from dataclasses import dataclass

import structlog

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import RecoverMailer, ShowUser
from fob_office.centre.commands.database import NewRecord, Store
from fob_office.centre.commands.meter import Act, Changed, LastChange, Obey
from fob_office.centre.function.changing import Changing
from fob_office.centre.function.held import Held, own_request
from fob_office.centre.function.paying import Paying
from fob_office.centre.function.peers import Peers
from fob_office.centre.words import Word
from fob_protocol.cose import mac0
from fob_protocol.metering.vouchers import KeyOrder
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ordering:
    """Of one function server."""

    peers: Peers
    changing: Changing
    paying: Paying

    async def carry_out(self, order: bytes) -> None:
        """A KeyOrder of the steel box. Raises BusRefusedError, RuleBrokenError, CoseError, OfficeError."""
        serial = read(KeyOrder, mac0.unchecked_payload(order)).serial
        request = own_request(digest(order), serial)

        async def do(held: Held) -> Changed:
            return await self.peers.owner(serial, Obey(held.meter, order, Act(request.digest, request.id, None)))

        await self.changing.warnings.telling(serial, self.changing.change(request, do))

    async def settle(self, serial: str) -> None:
        """What is owed, paid. Raises BusRefusedError, RuleBrokenError."""
        await self.changing.warnings.telling(serial, self.paying.settle(await self.changing.look(serial)))

    async def recover(self, serial: str) -> bool:
        """The meter box's standing takes the place of whatever the database has. Whether that was another.

        Raises BusRefusedError.
        """
        held = await self.changing.look(serial)
        changed = await self.peers.owner(serial, LastChange(serial))
        if digest(held.meter) == digest(changed.record):
            return False
        log.critical("a meter was recovered", serial=serial, had=held.record.registers.counter, clause="M33")
        is_stored = await self.changing.finish(changed, held.record.registers.counter) is not None
        # The journal may have the request, and the table another record all the same.
        if not is_stored or (await self.changing.look(serial)).meter != changed.record:
            raise BusRefusedError(Word.CONFLICT, "another record stands there meanwhile")
        return True

    async def restore_mailer(self, serial: str, order: bytes) -> None:
        """The record that follows the one which was put back. Raises BusRefusedError, RuleBrokenError."""
        held = await self.changing.look(serial)
        before = held.mailer
        log.critical("a mailer was recovered", serial=serial, had=before.counter, clause="M22")
        made = await self.peers.any(Kind.AUTHENTICATION, RecoverMailer(held.user, order))
        request = own_request(digest(order), serial)
        store = Store(
            place=request.place,
            request_digest=request.digest,
            answer=b"",
            meter=None,
            user=NewRecord(before.account, before.counter, made.record),
            name=None,
            serial=serial,
            transaction=None,
            payout=None,
        )
        if await self.changing.store(store) is None:
            raise BusRefusedError(Word.CONFLICT, "another record stands there meanwhile")
        await self.peers.any(Kind.AUTHENTICATION, ShowUser(made.record))

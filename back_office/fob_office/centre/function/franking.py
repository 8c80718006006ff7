"""Indicia (M17, M18, M20): whoever asks with validated software gets all pieces, or none."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import structlog

from fob_office.centre.bus.answering import place_of
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.meter import Act, Changed, Frank
from fob_office.centre.function.changing import TRIES, Changing, record_of
from fob_office.centre.function.held import Held, Request
from fob_office.centre.function.paying import Paying, is_low
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.permitting import Asked, permission_of
from fob_office.centre.function.presenting import Presenting
from fob_office.centre.function.refusing import refused, unreadable
from fob_office.centre.pieces import Resolved, resolve
from fob_office.centre.words import Word
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.requests import FrankRequest
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.hashing import is_same
from fob_protocol.office.refusals import Refusal

log = structlog.get_logger(__name__)

# Refills under way; those that find no room are due again at the next frank.
REFILLS: Final = 256
# Seconds for those under way when the server ends.
REFILLS_TIME: Final = 5.0


@dataclass(frozen=True, slots=True)
class Franking:
    """Of one function server."""

    peers: Peers
    changing: Changing
    paying: Paying
    presenting: Presenting
    _refills: set[asyncio.Task[None]] = field(default_factory=set)

    async def frank(self, asked: Asked[FrankRequest]) -> bytes:
        """The answer. Raises BusRefusedError, RuleBrokenError."""
        is_due = False

        async def do(held: Held) -> Changed:
            nonlocal is_due
            changed = await self._frank(asked, held)
            is_due = is_low(record_of(changed), held.mailer.refill)
            return changed

        answer = await self.changing.change(asked.request, do)
        if is_due:
            self._refill_later(asked.request)
        return answer

    async def close(self) -> None:
        """Refills that are under way are ended, in REFILLS_TIME; what is not done then is left to the next frank."""
        under_way = tuple(self._refills)
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=REFILLS_TIME)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _frank(self, asked: Asked[FrankRequest], held: Held) -> Changed:
        wanted = asked.wanted
        ticket = self.presenting.admit(wanted.presentation, wanted.request_id, held.record.value_kind)
        permission = await permission_of(self.peers, held, asked)
        user = held.mailer
        if not is_same(ticket.holder, user.holder):
            raise refused(Refusal.NOT_VALIDATED, "the ticket is another device's")
        pieces = resolve(wanted.pieces, user.origins)
        act = Act(asked.request.digest, asked.request.id, wanted.integrity)
        if user.payment == Payment.PER_USE:
            return await self._pay_and_dispense(held, asked.request, permission, pieces, act)
        return await self._dispense_or_refill(held, asked.request, permission, pieces, act)

    async def _dispense(self, held: Held, permission: bytes, pieces: Resolved, act: Act) -> Changed:
        frank = Frank(held.meter, permission, pieces.octets, act)
        return await self.peers.owner(held.record.serial, frank)

    async def _dispense_or_refill(
        self, held: Held, request: Request, permission: bytes, pieces: Resolved, act: Act
    ) -> Changed:
        """Of the record that its meter box has just judged; another server may change it before it is refilled."""
        for _ in range(TRIES):
            try:
                return await self._dispense(held, permission, pieces, act)
            except BusRefusedError as error:
                if error.word != Word.INSUFFICIENT_FUNDS or not is_low(held.record, held.mailer.refill):
                    raise
            await self.paying.refill(held, pieces.amount)
            held = await self._again(request)
        raise _too_slow()

    async def _pay_and_dispense(
        self, held: Held, request: Request, permission: bytes, pieces: Resolved, act: Act
    ) -> Changed:
        """What was loaded for this frank may go for another one, of another server."""
        for _ in range(TRIES):
            await self.paying.pay_per_use(held, request.digest, pieces, permission)
            held = await self._again(request)
            try:
                return await self._dispense(held, permission, pieces, act)
            except BusRefusedError as error:
                if error.word != Word.INSUFFICIENT_FUNDS:
                    raise
        raise _too_slow()

    async def _again(self, request: Request) -> Held:
        """The records after a load. Raises BusRefusedError."""
        found = await self.changing.fetch(request)
        if isinstance(found, bytes):
            raise BusRefusedError(Word.CONFLICT, "the same request was done meanwhile")
        return found

    def _refill_later(self, request: Request) -> None:
        """The mailer has his indicia, and does not wait for it (M29)."""
        if len(self._refills) < REFILLS:
            task = asyncio.get_running_loop().create_task(self._refill(request))
            self._refills.add(task)
            task.add_done_callback(self._refills.discard)

    async def _refill(self, request: Request) -> None:
        serial = request.serial
        try:
            found = await self.changing.look(serial)
            await self.paying.refill(found)
        except (BusRefusedError, RefusedError) as error:
            log.warning("no refill", serial=serial, why=str(error), clause="M29")
        except (CoseError, OfficeError) as error:
            await self.changing.warnings.warn(serial, unreadable(serial, error))
        except Exception as error:
            # As of a question that fails: nobody else hears of it. Without its text, which may hold what was asked.
            log.error("a refill failed", serial=serial, error=type(error).__name__, at=place_of(error), clause="M29")


def _too_slow() -> BusRefusedError:
    return BusRefusedError(Word.UNAVAILABLE, "others were faster")

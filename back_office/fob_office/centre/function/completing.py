"""Money that was taken while something was cut off comes onto its meter, whoever uses that, or nobody (M29, M33)."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import structlog

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.payment import CameIn, FetchOpen
from fob_office.centre.function.paying import Paying
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.refusing import unreadable
from fob_office.centre.function.said import Said
from fob_office.centre.words import Word
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.answers import Loaded
from fob_protocol.metering.vouchers import Receipt
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.message import read

log = structlog.get_logger(__name__)

# Seconds between looks at what was taken and has not come in.
PAUSE: Final = 10.0
_FIRST: Final = ("", 0)


@dataclass(frozen=True, slots=True)
class Completing:
    """Of one function server. Several of them do nothing twice: the meter box takes each number once."""

    peers: Peers
    paying: Paying
    _said: Said = field(default_factory=Said, init=False)

    async def run(self) -> None:
        """For as long as the server runs."""
        while True:
            try:
                await self.complete_all()
            except BusRefusedError as error:
                # Who starts with all the others meets nobody at first.
                log.debug("what was taken is not looked at", why=error.why)
            await asyncio.sleep(PAUSE)

    async def complete_all(self) -> None:
        """Each once; what cannot come in now is tried again the next time. Raises BusRefusedError: nobody answers."""
        after = _FIRST
        while receipts := (await self.peers.any(Kind.PAYMENT, FetchOpen(*after))).receipts:
            before = after
            for signed in receipts:
                after = await self._complete(signed, after)
            if after <= before:
                # What is behind cannot be asked for, or the same would be asked for in a circle, without end.
                await self._stays(before)
                return

    async def _complete(self, signed: bytes, before: tuple[str, int]) -> tuple[str, int]:
        """Serial and number; those before, where the provider says what is no receipt."""
        try:
            receipt = read(Receipt, sign1.unverified_payload(signed))
        except (CoseError, OfficeError) as error:
            await self._waits(*before, BusRefusedError(Word.TAMPERING, f"no receipt behind {before}: {error}"))
            return before
        serial, number = receipt.serial, receipt.number
        try:
            if (answer := await self.paying.bring_in(signed)) is not None:
                await self.peers.any(Kind.PAYMENT, CameIn(read(Loaded, answer).transaction))
        except (BusRefusedError, RefusedError) as error:
            await self._waits(serial, number, error)
        except (CoseError, OfficeError) as error:
            await self._waits(serial, number, unreadable(serial, error))
        return serial, number

    async def _stays(self, before: tuple[str, int]) -> None:
        """Said once of each place."""
        why = f"receipts of the payment provider do not go up behind {before}, and what follows is not looked at"
        if self._said.is_new(_FIRST, why):
            log.warning("money is not looked at", why=why, clause="M29")
            await self.paying.changing.warnings.warn("", BusRefusedError(Word.TAMPERING, why))

    async def _waits(self, serial: str, number: int, error: BusRefusedError | RefusedError) -> None:
        """The others go on. Said once of each trouble."""
        if not self._said.is_new((serial, number), str(error)):
            return
        log.warning("money waits for its meter", serial=serial, number=number, why=str(error), clause="M29")
        if isinstance(error, BusRefusedError):
            await self.paying.changing.warnings.warn(serial, error)

"""What a mailer may look at: the meter, its history, and how the log goes on."""

from dataclasses import dataclass
from typing import Final

from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchLogState, FetchTransactions, LogState
from fob_office.centre.function.changing import Changing
from fob_office.centre.function.peers import Peers
from fob_office.centre.function.permitting import Asked, permit
from fob_office.centre.words import Word
from fob_protocol.metering.answers import About, History
from fob_protocol.metering.limits import BOXES_LIMIT, HISTORY_LIMIT
from fob_protocol.metering.requests import AboutRequest, HistoryRequest

_NOTHING: Final = LogState(None, ())


@dataclass(frozen=True, slots=True)
class Looking:
    """Of one function server. `passes`: as signed, of the boxes that sign transactions and checkpoints."""

    peers: Peers
    changing: Changing
    passes: "Passes"

    async def about(self, asked: Asked[AboutRequest]) -> bytes:
        """Raises BusRefusedError, RuleBrokenError."""
        # Whoever is nobody hears nothing, and brings about no warning.
        held = await self.changing.newest(asked.request.serial, lambda held: permit(self.peers, held, asked))
        record, user = held.record, held.mailer
        log = await self._log(asked.wanted.log)
        return About(
            state=record.state,
            value_kind=record.value_kind,
            registers=record.registers,
            limits=record.limits,
            payment=user.payment,
            refill=user.refill,
            origins=user.origins,
            checkpoint=log.checkpoint,
            proof=log.proof,
            passes=self.passes.of(Kind.TRANSACTION),
            fee=record.fee,
        ).octets()

    async def history(self, asked: Asked[HistoryRequest]) -> bytes:
        """Raises BusRefusedError, RuleBrokenError."""
        await permit(self.peers, await self.changing.look(asked.request.serial), asked)
        fetch = FetchTransactions(asked.request.serial, asked.wanted.after, HISTORY_LIMIT)
        return History((await self.peers.any(Kind.DATABASE, fetch)).transactions).octets()

    async def _log(self, size: int) -> LogState:
        """A size that the log never had is answered without proof: it is the device that finds that out."""
        try:
            return await self.peers.any(Kind.DATABASE, FetchLogState(size))
        except BusRefusedError as error:
            if error.word != Word.NO_SUCH_SIZE:
                raise
            return await self.peers.any(Kind.DATABASE, FetchLogState(0))


@dataclass(frozen=True, slots=True)
class Passes:
    """Of the directory."""

    links: Links

    def of(self, kind: Kind) -> tuple[bytes, ...]:
        """As the manufacturing box signed them; there are no more, where `box add` is asked. Raises DirectoryError."""
        return tuple(entry.shown for entry in self.links.directory.of_kind(kind))[:BOXES_LIMIT]

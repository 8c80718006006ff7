"""A function server in its process: it answers communication servers and operators, and pays out what is due."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.duties import duties
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.function import (
    Answer,
    Answered,
    CarryOut,
    Recover,
    Recovered,
    RestoreMailer,
    Settle,
    Tallied,
    Tally,
)
from fob_office.centre.function.changing import Changing
from fob_office.centre.function.completing import Completing
from fob_office.centre.function.door import Door
from fob_office.centre.function.franking import Franking
from fob_office.centre.function.looking import Looking, Passes
from fob_office.centre.function.ordering import Ordering
from fob_office.centre.function.paying import Paying
from fob_office.centre.function.peers import LinkedPeers, Peers
from fob_office.centre.function.presenting import Presenting
from fob_office.centre.function.refunding import Refunding
from fob_office.centre.function.refusing import refusing_operators
from fob_office.centre.function.settings import FunctionSettings, read_settings
from fob_office.centre.function.signing import Signing
from fob_office.centre.view_file import ViewFile
from fob_office.surroundings import Surroundings


class FunctionServer:
    """With all that it does. `close` it."""

    def __init__(self, settings: FunctionSettings, peers: Peers, links: Links, surroundings: Surroundings) -> None:
        changing = Changing(peers, surroundings)
        presenting = Presenting(settings, surroundings.clock)
        paying = Paying(peers, changing, settings.deposit)
        self.refunding = Refunding(peers, changing, paying, surroundings.clock)
        self.completing = Completing(peers, paying)
        self._franking = Franking(peers, changing, paying, presenting)
        self._ordering = Ordering(peers, changing, paying)
        self._door = Door(
            settings,
            surroundings,
            changing,
            Signing(peers, changing, presenting, settings.fee, settings.deposit),
            self._franking,
            paying,
            self.refunding,
            Looking(peers, changing, Passes(links)),
            X25519PrivateKey.generate(),
        )

    def table(self) -> Table:
        """Who may ask what."""
        return {
            Answer: row([Kind.COMMUNICATION], self.answer),
            CarryOut: row([Kind.OPERATOR], self.carry_out),
            Settle: row([Kind.OPERATOR], self.settle),
            Recover: row([Kind.OPERATOR], self.recover),
            Tally: row([Kind.OPERATOR], self.tally),
            RestoreMailer: row([Kind.OPERATOR], self.restore_mailer),
        }

    async def answer(self, _: Pass, asked: Answer) -> Answered:
        """A device's question."""
        return Answered(await self._door.answer(asked.question))

    async def carry_out(self, _: Pass, asked: CarryOut) -> Done:
        """An order of the steel box."""
        with refusing_operators():
            await self._ordering.carry_out(asked.order)
        return Done()

    async def settle(self, _: Pass, asked: Settle) -> Done:
        """What a mailer owes."""
        with refusing_operators():
            await self._ordering.settle(asked.serial)
        return Done()

    async def recover(self, _: Pass, asked: Recover) -> Recovered:
        """A meter whose database was put back."""
        with refusing_operators():
            return Recovered(await self._ordering.recover(asked.serial))

    async def restore_mailer(self, _: Pass, asked: RestoreMailer) -> Done:
        """A mailer whose database was put back."""
        with refusing_operators():
            await self._ordering.restore_mailer(asked.serial, asked.order)
        return Done()

    async def tally(self, _: Pass, asked: Tally) -> Tallied:
        """What it has done."""
        return self._door.tallying.tallied()

    async def close(self) -> None:
        """What is under way beside questions."""
        await self._franking.close()


@asynccontextmanager
async def function_server(box: Box) -> AsyncIterator[Table]:
    """The factory of kind FUNCTION. Raises OperatorError when it was not told who it is."""
    views = ViewFile(box.links.directory.folder, box.manufacturing)
    peers = LinkedPeers(box.links, views)
    server = FunctionServer(read_settings(box.folder), peers, box.links, box.surroundings)
    try:
        async with duties(server.refunding.pay_out, server.completing.run):
            yield server.table()
    finally:
        await server.close()

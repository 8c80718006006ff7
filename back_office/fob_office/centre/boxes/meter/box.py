"""The meter box: who may ask it what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from msgspec.structs import replace

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.duties import duties
from fob_office.centre.boxes.identity import signing_key
from fob_office.centre.boxes.meter.certifying import Certifying
from fob_office.centre.boxes.meter.handing import Fetching, Giving
from fob_office.centre.boxes.meter.keeping import Keeper, Peers
from fob_office.centre.boxes.meter.knowing import Knowing
from fob_office.centre.boxes.meter.looking import Looking
from fob_office.centre.boxes.meter.ownership import Ownership
from fob_office.centre.boxes.meter.points import Reached, go_on
from fob_office.centre.boxes.meter.shelf import Shelf
from fob_office.centre.boxes.meter.taking import Taking
from fob_office.centre.boxes.meter.transacting import Transactions
from fob_office.centre.boxes.meter.verifying import Verifier
from fob_office.centre.boxes.store import open_store
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, Done, ReplyT
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.meter import (
    Begin,
    Certify,
    Credit,
    Frank,
    HandOver,
    HeldMarks,
    HeldView,
    Keep,
    LastChange,
    Load,
    Look,
    Obey,
    Refund,
    SayDue,
    TakeView,
    VerifyTokens,
    ViewHeld,
)
from fob_office.surroundings import Surroundings

# Seconds that an owner waits for its second: two flushes of a busy disk; whoever asked waits longer.
SECOND_TIME: Final = 5.0
_RUN_SIZE: Final = 8


class LinkedPeers:
    """The other meter boxes, over the bus. Peers."""

    def __init__(self, links: Links) -> None:
        self._links = links

    async def ask(self, name: str, command: Command[ReplyT]) -> ReplyT:
        """As Peers says."""
        return await self._links.to(name).ask(command, SECOND_TIME)


class MeterBox:
    """One box with its store open. `fetching` is done by whoever runs it."""

    def __init__(
        self,
        name: str,
        manufacturing: bytes,
        vault: Vault,
        store: Shelf,
        peers: Peers,
        surroundings: Surroundings,
        reached: Reached = go_on,
    ) -> None:
        self.ownership = Ownership(name, manufacturing, store)
        self._keeper = Keeper(store, self.ownership, peers, surroundings.random(_RUN_SIZE), reached)
        verifier = Verifier(vault)
        knowing = Knowing(vault, verifier, store, self._keeper)
        self._transactions = Transactions(vault, verifier, self._keeper, knowing, surroundings, reached)
        self._looking = Looking(vault, verifier, self._keeper, knowing, surroundings)
        self._taking = Taking(store, self.ownership, reached)
        self._giving = Giving(store, self.ownership)
        self.fetching = Fetching(self.ownership, self._taking, peers)

    @property
    def table(self) -> Table:
        """Who may ask what. A view is signed: the owner passes it on to a second that has not heard of it."""
        does, looks, function = self._transactions, self._looking, [Kind.FUNCTION]
        return {
            Begin: row(function, does.begin),
            Frank: row(function, does.frank),
            Load: row(function, does.load),
            Refund: row(function, does.refund),
            Credit: row(function, does.credit),
            Obey: row(function, does.obey),
            Look: row([Kind.FUNCTION, Kind.OPERATOR], looks.look),
            SayDue: row(function, looks.say_due),
            VerifyTokens: row([Kind.OPERATOR], looks.verify_tokens),
            LastChange: row([Kind.FUNCTION, Kind.OPERATOR], looks.last_change),
            TakeView: row([Kind.OPERATOR, Kind.METER], self._take_view),
            HeldView: row([Kind.OPERATOR], self._held_view),
            Keep: row([Kind.METER], self._taking.keep),
            HandOver: row([Kind.METER], self._giving.hand_over),
            HeldMarks: row([Kind.OPERATOR], self._giving.held_marks),
        }

    async def _take_view(self, peer: Pass, command: TakeView) -> Done:
        if await self._taking.take_view(peer, command):
            self.fetching.wake()
        return Done()

    async def _held_view(self, peer: Pass, command: HeldView) -> ViewHeld:
        return replace(await self._taking.held_view(peer, command), was_put_back=self._keeper.was_put_back)


@asynccontextmanager
async def meter_box(box: Box, reached: Reached = go_on) -> AsyncIterator[Table]:
    """Its Factory."""
    with open_store(box.folder) as store:
        peers = LinkedPeers(box.links)
        meters = MeterBox(box.name, box.manufacturing, box.vault, store, peers, box.surroundings, reached)
        certifying = Certifying(box.name, box.vault, signing_key(box.identity), box.surroundings)
        async with duties(meters.fetching.run):
            yield {**meters.table, Certify: row([Kind.OPERATOR], certifying.certify)}

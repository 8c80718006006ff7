"""What the authentication boxes know of accounts is common: a box is told by the others, and learns all when it starts.

A box that was away, was added, or whose folder was put back answers nothing about an account before it has fetched what
each other one knows: so what was shown to one of them, none takes an older record for (M22, M34).
"""

import asyncio
from typing import Final

import structlog

from fob_office.centre.boxes.authentication.others import Others
from fob_office.centre.boxes.authentication.records import UserRecords
from fob_office.centre.boxes.store import StoreError
from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError
from fob_office.centre.bus.passes import Pass
from fob_office.centre.commands.authentication import FetchUsers, NoteUser, ShowUser, UsersSeen
from fob_office.surroundings import Surroundings

log = structlog.get_logger(__name__)

# Seconds before boxes that were away are asked again.
PAUSE: Final = 0.2
# Accounts of one page: some 60 octets each.
PAGE: Final = 512


class Sharing:
    """Of one box."""

    def __init__(self, records: UserRecords, others: Others, surroundings: Surroundings) -> None:
        self._records = records
        self._others = others
        self._surroundings = surroundings
        self._said = ""

    async def show(self, peer: Pass, command: ShowUser) -> Done:
        """As the command says."""
        await self._records.read(command.record)
        return Done()

    async def note(self, peer: Pass, command: NoteUser) -> Done:
        """As the command says."""
        await self._records.hear(command.seen)
        return Done()

    async def fetch(self, peer: Pass, command: FetchUsers) -> UsersSeen:
        """As the command says."""
        return UsersSeen(self._records.after(command.after, PAGE))

    async def learn(self) -> None:
        """What the others know, until it is all here."""
        heard: set[str] = set()
        while True:
            if await self._hear_all(heard):
                self._others.complete()
                return
            await asyncio.sleep(PAUSE)

    async def _hear_all(self, heard: set[str]) -> bool:
        """False: one of them is still to be heard. One that an operator removed is not."""
        try:
            for name in self._others.names():
                if name in heard:
                    continue
                async for users in self._others.pages(name):
                    await self._records.learn(users)
                heard.add(name)
        except (AwayError, BusRefusedError, DirectoryError, StoreError) as error:
            self._say(str(error))
            return False
        return True

    def _say(self, why: str) -> None:
        """The same only once."""
        if why != self._said:
            log.info("what other authentication boxes know is not here yet", why=why)
        self._said = why

"""The other authentication boxes: each is told what one was shown of an account, before anybody is answered (M34)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError, DownError, LateError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.authentication import FetchUsers, NoteUser, UserSeen
from fob_office.centre.rising import check_rising
from fob_office.centre.words import Word

# Seconds for another box to take what it is told: a flush of a busy disk. Whoever asked waits longer.
TELL_TIME: Final = 5.0
# Seconds that a question waits for a box that begins: they all begin at once when a data centre does.
BEGIN_TIME: Final = 2.0


class Others:
    """Of one box, which is named `me`."""

    def __init__(self, me: str, links: Links) -> None:
        self._me = me
        self._links = links
        self._complete = asyncio.Event()

    def names(self) -> list[str]:
        """In their order. Raises DirectoryError."""
        return [entry.name for entry in self._links.directory.of_kind(Kind.AUTHENTICATION) if entry.name != self._me]

    def complete(self) -> None:
        """This box knows all that the others do; from now on it is told."""
        self._complete.set()

    async def ready(self) -> None:
        """Before anything is said about an account. Raises BusRefusedError INCOMPLETE."""
        if self._complete.is_set():
            return
        try:
            async with asyncio.timeout(BEGIN_TIME):
                await self._complete.wait()
        except TimeoutError:
            why = f"{self._me} has not heard yet what the other authentication boxes know"
            raise BusRefusedError(Word.INCOMPLETE, why) from None

    async def tell(self, seen: UserSeen) -> None:
        """All of them have it on their disks; one that does not run learns it before it answers anything.

        Raises BusRefusedError TAMPERING: another one knows more; UNAVAILABLE: one does not answer.
        """
        try:
            names = self.names()
        except DirectoryError as error:
            raise BusRefusedError(Word.UNAVAILABLE, str(error)) from None
        await asyncio.gather(*(self._tell(name, NoteUser(seen)) for name in names))

    async def pages(self, name: str) -> AsyncIterator[tuple[UserSeen, ...]]:
        """All that a box knows, each account once and in order. Raises AwayError, BusRefusedError."""
        after = b""
        while users := (await self._links.to(name).ask(FetchUsers(after))).users:
            check_rising(f"accounts of {name}", after, (one.account for one in users))
            yield users
            after = users[-1].account

    async def _tell(self, name: str, command: NoteUser) -> None:
        try:
            await self._ask_again(name, command)
        except DownError:
            return
        except AwayError as away:
            raise BusRefusedError(Word.UNAVAILABLE, f"another authentication box: {away}") from None
        except BusRefusedError as refused:
            if refused.word == Word.TAMPERED:
                # It says so for ever.
                return
            if refused.word == Word.NEWER_STANDING:
                raise BusRefusedError(Word.TAMPERING, f"{name}: {refused.why}") from None
            raise BusRefusedError(Word.UNAVAILABLE, f"{name}: {refused}") from None

    async def _ask_again(self, name: str, command: Command[ReplyT]) -> ReplyT:
        """Once more where the connection ended: the next one shows whether the process still runs."""
        link = self._links.to(name)
        try:
            return await link.ask(command, TELL_TIME)
        except (DownError, LateError):
            raise
        except AwayError:
            return await link.ask(command, TELL_TIME)

"""Looks at the passes again and again: those that end soon are renewed while all of it runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec.structs import replace

from fob_office.centre.boxes.folder import was_tampered_with
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.directory import FILE, Entry, read_entries, write_entries
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError
from fob_office.centre.commands.manufacturing import Admit
from fob_office.centre.operating.restarting import changing_alone
from fob_office.centre.places import MANUFACTURING
from fob_office.centre.supervising.limits import LOOK_TIME, PASSES_PAUSE
from fob_office.centre.supervising.renewing import is_due
from fob_office.errors import OperatorError

log = structlog.get_logger(__name__)


class PassWatch:
    """Of all processes, on other machines too. Each takes its newer pass from the directory when it connects next."""

    def __init__(self, centre: Path, links: Links, clock: Callable[[], int]) -> None:
        self._centre = centre
        self._links = links
        self._clock = clock
        # By name, or of all of them under no name: said once, and again where it is another.
        self._said: dict[str, str] = {}

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(PASSES_PAUSE)
            await self.look()

    async def look(self) -> None:
        """Once. What is in the way is in the log, and tried again at the next look."""
        try:
            if any(self._is_due(entry) for entry in self._entries()):
                # Nobody adds or removes a process meanwhile.
                with changing_alone(self._centre):
                    await self._renew()
            self._said.pop("", None)
        except (AwayError, DirectoryError, OperatorError, OSError) as error:
            self._say("", str(error))

    async def _renew(self) -> None:
        before = self._entries()
        entries = [await self._renewed(entry) if self._is_due(entry) else entry for entry in before]
        if entries != before:
            write_entries(self._centre, entries)

    async def _renewed(self, entry: Entry) -> Entry:
        """The same where the manufacturing box refuses it: the others do not wait for that."""
        mine = self._links.directory.pass_of(entry.name)
        asked = Admit(mine.kind, mine.name, mine.static, mine.sealing, mine.signing)
        try:
            given = await self._links.to(MANUFACTURING).ask(asked, LOOK_TIME)
        except BusRefusedError as error:
            self._say(entry.name, str(error))
            return entry
        self._said.pop(entry.name, None)
        log.info("a pass was renewed", name=entry.name)
        return replace(entry, shown=given.shown)

    def _is_due(self, entry: Entry) -> bool:
        # What starts no more shows no pass.
        is_of_use = not was_tampered_with(self._centre / entry.name)
        return is_due(self._links.directory.pass_of(entry.name), self._clock()) and is_of_use

    def _entries(self) -> list[Entry]:
        return read_entries(self._centre / FILE)

    def _say(self, name: str, why: str) -> None:
        if self._said.get(name) != why:
            self._said[name] = why
            log.error("a pass is not renewed", name=name or "any", why=why)

"""Looks at the passes again and again: those that end soon are renewed while all of it runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec.structs import replace

from fob_office.centre.boxes.folder import was_tampered_with
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.directory import FILE, Entry, read_entries, write_entries
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError, PassError
from fob_office.centre.bus.passes import Kind, Pass, read_pass
from fob_office.centre.commands.manufacturing import Admit
from fob_office.centre.operating.restarting import changing_alone
from fob_office.centre.places import MANUFACTURING
from fob_office.centre.supervising.limits import LOOK_TIME, PASSES_PAUSE
from fob_office.centre.supervising.renewing import is_due
from fob_office.errors import OperatorError
from fob_office.issuer.ends import when_over

log = structlog.get_logger(__name__)


class PassWatch:
    """Of all processes, on other machines too. Each takes its newer pass from the directory, and shows that.

    `due`: a sentence for each that shows an older one.
    """

    def __init__(
        self, centre: Path, links: Links, clock: Callable[[], int], put_back: Callable[[str], None]
    ) -> None:  # fmt: skip
        """`put_back` hears what the manufacturing box had forgotten, empty as a rule."""
        self.due: tuple[str, ...] = ()
        self._centre = centre
        self._links = links
        self._clock = clock
        self._put_back = put_back
        # By name, what each showed last.
        self._shown: dict[str, Pass] = {}
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
            entries = read_entries(self._centre / FILE)
            mine = read_pass(self._links.directory.manufacturing, self._links.mine)
            self._shown[mine.name] = mine
            await asyncio.gather(*(self._meet(entry) for entry in entries if entry.kind != Kind.OPERATOR))
            self.due = tuple(self._late(entry) for entry in entries if self._shows_older(entry))
            if any(self._is_wanted(entry) for entry in entries):
                # Nobody adds or removes a process meanwhile.
                with changing_alone(self._centre):
                    await self._renew()
            self._said.pop("", None)
        except OperatorError as error:
            log.info("passes are renewed later", why=error.why)
        except (AwayError, DirectoryError, OSError) as error:
            self._say("", str(error))

    async def _meet(self, entry: Entry) -> None:
        """By a connection of its own: one that stands may have begun long ago."""
        seen = self._shown.get(entry.name)
        if seen is not None and seen.number >= self._pass_of(entry).number:
            return
        link = self._links.fresh(entry.name)
        try:
            self._shown[entry.name] = await link.meet(LOOK_TIME)
        except AwayError:
            # Whoever wants something of it says so.
            pass
        finally:
            link.close()

    async def _renew(self) -> None:
        """What was given is kept, also where the manufacturing box goes away in the midst."""
        entries = read_entries(self._centre / FILE)
        given: dict[str, bytes] = {}
        try:
            for entry in filter(self._is_wanted, entries):
                if (shown := await self._given(entry)) is not None:
                    given[entry.name] = shown
        finally:
            if given:
                write_entries(
                    self._centre, [replace(one, shown=given.get(one.name, one.shown)) for one in entries]
                )  # fmt: skip
                log.info("passes were renewed", names=list(given))

    async def _given(self, entry: Entry) -> bytes | None:
        """None where the manufacturing box refuses it: the others do not wait for that. Raises AwayError."""
        mine = self._pass_of(entry)
        asked = Admit(mine.kind, mine.name, mine.static, mine.sealing, mine.signing, entry.shown)
        try:
            given = await self._links.to(MANUFACTURING).ask(asked)
            self._check_newer(given.shown, entry)
        except (BusRefusedError, PassError) as error:
            self._say(entry.name, str(error))
            return None
        self._put_back(given.forgotten)
        self._said.pop(entry.name, None)
        return given.shown

    def _check_newer(self, given: bytes, entry: Entry) -> None:
        """Raises PassError: whoever was shown the one before would not take it."""
        known = [self._pass_of(entry), self._shown.get(entry.name, self._pass_of(entry))]
        newest = max(one.number for one in known)
        if (number := read_pass(self._links.directory.manufacturing, given).number) <= newest:
            raise PassError(f"the manufacturing box gave it pass {number} after {newest}: it was put back")

    def _is_wanted(self, entry: Entry) -> bool:
        """A pass that is over is no more renewed, and what was tampered with shows none."""
        mine, now = self._pass_of(entry), self._clock()
        shown = self._shown.get(entry.name, mine)
        is_behind = shown.number > mine.number and shown.static == mine.static
        return (is_due(mine, now) or is_behind) and now <= mine.not_after and not self._is_tampered(entry)

    def _shows_older(self, entry: Entry) -> bool:
        mine = self._pass_of(entry)
        return self._shown.get(entry.name, mine).number < mine.number and not self._is_tampered(entry)

    def _late(self, entry: Entry) -> str:
        when = when_over(self._shown[entry.name].not_after - self._clock())
        return f"the pass that {entry.name} shows {when}, and the directory has a newer one: copy it to its machine"

    def _is_tampered(self, entry: Entry) -> bool:
        return was_tampered_with(self._centre / entry.name)

    def _pass_of(self, entry: Entry) -> Pass:
        return self._links.directory.pass_of(entry.name)

    def _say(self, name: str, why: str) -> None:
        if self._said.get(name) != why:
            self._said[name] = why
            log.error("a pass is not renewed", name=name or "any", why=why)

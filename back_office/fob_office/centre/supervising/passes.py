"""Looks at the passes again and again: those that end soon are renewed while all of it runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec.structs import replace

from fob_office.centre.boxes.folder import was_tampered_with
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.channel import HANDSHAKE_FAILED
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

    `due`: a sentence for each that does not.
    """

    def __init__(self, centre: Path, links: Links, clock: Callable[[], int], put_back: Callable[[str], None]) -> None:
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
            met = await asyncio.gather(*(self._meet(entry) for entry in entries if entry.kind != Kind.OPERATOR))
            self.due = tuple(filter(None, met))
            if any(self._is_wanted(entry) for entry in entries):
                # Operators do not wait for it where it is away.
                await self._links.to(MANUFACTURING).meet(LOOK_TIME)
                # Nobody adds or removes a process meanwhile.
                with changing_alone(self._centre):
                    await self._renew()
            self._said.pop("", None)
        except OperatorError as error:
            log.info("passes are renewed later", why=error.why)
        except (AwayError, DirectoryError, OSError) as error:
            self._say("", str(error))

    async def _meet(self, entry: Entry) -> str:
        """What a person has to do for it to show the newest pass; empty: nothing."""
        try:
            shown = await self._links.to(entry.name).meet(LOOK_TIME)
            if shown.number < self._pass_of(entry).number:
                shown = await self._met_again(entry.name)
        except AwayError as error:
            refused = error.why.removeprefix(HANDSHAKE_FAILED)
            # Whoever wants something of one that is away says so.
            return "" if refused == error.why else f"{entry.name} is not let in ({refused}): {self._help(entry)}"
        self._shown[entry.name] = shown
        if shown.number >= self._pass_of(entry).number:
            return ""
        when = when_over(shown.not_after - self._clock())
        return f"the pass that {entry.name} shows {when}, and the directory has a newer one: {self._help(entry)}"

    async def _met_again(self, name: str) -> Pass:
        """A connection that stands may have begun before it had the newer one. Raises AwayError."""
        link = self._links.fresh(name)
        try:
            return await link.meet(LOOK_TIME)
        finally:
            link.close()

    def _help(self, entry: Entry) -> str:
        is_here = (self._centre / entry.name).is_dir()
        return "start the data centre anew" if is_here else "copy the directory to its machine"

    async def _renew(self) -> None:
        """What was given is kept, also where the manufacturing box goes away in the midst."""
        entries = read_entries(self._centre / FILE)
        newest = max(entries, key=lambda entry: self._pass_of(entry).number).shown
        given: dict[str, bytes] = {}
        try:
            for entry in filter(self._is_wanted, entries):
                if (shown := await self._given(entry, newest)) is not None:
                    given[entry.name] = shown
        finally:
            if given:
                write_entries(self._centre, [replace(one, shown=given.get(one.name, one.shown)) for one in entries])
                log.info("passes were renewed", names=list(given))

    async def _given(self, entry: Entry, newest: bytes) -> bytes | None:
        """None where the manufacturing box refuses it: the others do not wait for that. Raises AwayError."""
        mine = self._pass_of(entry)
        asked = Admit(mine.kind, mine.name, mine.static, mine.sealing, mine.signing, newest)
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
        """Raises PassError: others would not take it, or not for long."""
        before = max(self._pass_of(entry).number, self._seen(entry).number)
        shown = read_pass(self._links.directory.manufacturing, given)
        if shown.number <= before:
            raise PassError(f"the manufacturing box gave it pass {shown.number} after {before}: it was put back")
        if is_due(shown, self._clock()):
            raise PassError("the manufacturing box gave it one that ends soon: its clock is behind, or this one ahead")

    def _is_wanted(self, entry: Entry) -> bool:
        """What is over is no more renewed, and what was tampered with shows none."""
        mine, seen, now = self._pass_of(entry), self._seen(entry), self._clock()
        is_over = now > max(mine.not_after, seen.not_after)
        return (is_due(mine, now) or seen.number > mine.number) and not is_over and not self._is_tampered(entry)

    def _seen(self, entry: Entry) -> Pass:
        """The pass that it showed last, with its key; else the one of the directory."""
        mine = self._pass_of(entry)
        seen = self._shown.get(entry.name, mine)
        return seen if seen.static == mine.static else mine

    def _is_tampered(self, entry: Entry) -> bool:
        return was_tampered_with(self._centre / entry.name)

    def _pass_of(self, entry: Entry) -> Pass:
        return self._links.directory.pass_of(entry.name)

    def _say(self, name: str, why: str) -> None:
        if self._said.get(name) != why:
            self._said[name] = why
            log.error("a pass is not renewed", name=name or "any", why=why)

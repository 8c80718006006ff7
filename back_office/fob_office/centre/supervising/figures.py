"""What the processes of a data centre say of themselves, in a file: for the office, which asks none of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.communication import Count
from fob_office.centre.commands.database import FetchLogState, FetchWarnings
from fob_office.centre.commands.function import Tally
from fob_office.centre.rising import check_rising
from fob_office.centre.supervising.limits import LOOK_TIME
from fob_office.secrets.private_file import replace_unflushed
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

FILE: Final = "figures.json"
# Warnings that are shown.
NEWEST: Final = 20
_AWAY: Final = (AwayError, BusRefusedError, DirectoryError)


class Warned(msgspec.Struct, frozen=True):
    """One warning."""

    id: int
    word: str
    serial: str
    why: str
    time: int


class Served(msgspec.Struct, frozen=True):
    """By one function server, since it began."""

    done: dict[str, int]
    pieces: int
    refused: dict[str, int]


class Carried(msgspec.Struct, frozen=True):
    """By one communication server, since it began; `waiting` now."""

    questions: int
    unanswered: int
    waiting: int


class Figures(msgspec.Struct, frozen=True):
    """`log_size`, `checkpoint` (seconds since 1970): of the newest checkpoint; None: nobody said. `failovers`, and
    `warnings` beside those that there were: since the supervisor began.
    """

    failovers: int = 0
    log_size: int | None = None
    checkpoint: int | None = None
    warnings: int = 0
    newest: Annotated[tuple[Warned, ...], Meta(max_length=NEWEST)] = ()
    functions: dict[str, Served] = {}
    communication: dict[str, Carried] = {}


class Gathering:
    """Asks, as an operator, whoever answers; what nobody answers is as it was, or missing.

    `warn` hears what is wrong with an answer, and which command of `fob-office centre` helps.
    """

    def __init__(self, links: Links, warn: Callable[[str, str], None]) -> None:
        self._links = links
        self._warn = warn
        # What is the matter with the newest checkpoint, as it was said.
        self._unreadable = ""
        self._last = 0
        self._warnings = 0
        self._newest: tuple[Warned, ...] = ()
        self._checkpoint: tuple[int | None, int | None] = (None, None)

    async def gather(self, failovers: int) -> Figures:
        """Raises nothing of the bus."""
        await self._look_at_log()
        functions = await self._all(Kind.FUNCTION, Tally())
        carried = await self._all(Kind.COMMUNICATION, Count())
        return Figures(
            failovers,
            *self._checkpoint,
            self._warnings,
            self._newest,
            {name: Served(one.done, one.pieces, one.refused) for name, one in functions.items()},
            {name: Carried(one.questions, one.unanswered, one.waiting) for name, one in carried.items()},
        )

    async def _look_at_log(self) -> None:
        """Of the first database server that answers."""
        for entry in self._links.directory.of_kind(Kind.DATABASE):
            link = self._links.to(entry.name)
            try:
                self._read((await link.ask(FetchLogState(0), LOOK_TIME)).checkpoint)
                while page := (await link.ask(FetchWarnings(self._last), LOOK_TIME)).warnings:
                    check_rising("warnings of the database", self._last, (one[0] for one in page))
                    self._warned(page)
            except _AWAY:
                continue
            return

    def _read(self, signed: bytes | None) -> None:
        """The database holds whatever staff wrote there: what is no checkpoint changes no figure, and is said once."""
        if signed is None:
            return
        try:
            checkpoint = read(Checkpoint, sign1.unverified_payload(signed))
        except (CoseError, OfficeError) as error:
            self._say_unreadable(f"the newest checkpoint of the log cannot be read: {error}")
            return
        self._unreadable = ""
        self._checkpoint = checkpoint.size, checkpoint.time

    def _say_unreadable(self, why: str) -> None:
        if why != self._unreadable:
            self._warn(why, "audit")
        self._unreadable = why

    def _warned(self, page: tuple[tuple[int, str, str, str, int], ...]) -> None:
        self._warnings += len(page)
        self._last = page[-1][0]
        self._newest = (*self._newest, *(Warned(*one) for one in page))[-NEWEST:]

    async def _all(self, kind: Kind, command: Command[ReplyT]) -> dict[str, ReplyT]:
        found = {}
        for entry in self._links.directory.of_kind(kind):
            try:
                found[entry.name] = await self._links.to(entry.name).ask(command, LOOK_TIME)
            except _AWAY:
                continue
        return found


def write_figures(centre: Path, figures: Figures) -> None:
    """Raises OSError."""
    replace_unflushed(centre / FILE, msgspec.json.encode(figures))


def read_figures(centre: Path) -> Figures:
    """None at all where there is no file, or it cannot be read."""
    try:
        return msgspec.json.decode((centre / FILE).read_bytes(), type=Figures)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return Figures()

"""Checkpoints: a transaction box is asked for one from time to time; if none is there, the log goes on without."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple, Protocol

import structlog
from sqlalchemy import Connection, Integer, bindparam, delete, literal_column, select

from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError
from fob_office.centre.commands.database import LogState
from fob_office.centre.commands.transaction import SignCheckpoint
from fob_office.centre.database.inserting import insert_all
from fob_office.centre.database.keeping import Keeper
from fob_office.centre.database.limits import (
    CHECKPOINT_ENTRIES,
    CHECKPOINT_PAUSE,
    CHECKPOINT_TIME,
    CHECKPOINT_TRY_AGAIN,
    ERASED_AT_ONCE,
)
from fob_office.centre.database.log import damaged, head, lock_head, with_nodes
from fob_office.centre.database.noting import warn
from fob_office.centre.database.tables import CHECKPOINTS
from fob_office.centre.warning import warning_of
from fob_office.centre.words import Word
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.metering.log.tree import consistency_proof
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

log = structlog.get_logger(__name__)

# Of one question to a box: other database servers may have it sign a bit more each time.
_TRIES: Final = 4

_ONE: Final = literal_column("1", Integer())
_OLDER: Final = select(CHECKPOINTS.c.size).where(CHECKPOINTS.c.size < bindparam("newest")).order_by(CHECKPOINTS.c.size)
# One, but where a server of an earlier version kept all: those go in portions.
_FORGET: Final = delete(CHECKPOINTS).where(
    CHECKPOINTS.c.size.in_(_OLDER.limit(literal_column(str(ERASED_AT_ONCE), Integer())))
)
_NEWEST: Final = select(CHECKPOINTS.c.size, CHECKPOINTS.c.signed).order_by(CHECKPOINTS.c.size.desc()).limit(_ONE)


class Asker(Protocol):
    """A Link."""

    name: str

    async def ask(self, command: Command[ReplyT], timeout: float) -> ReplyT:  # noqa: ASYNC109 - a Link's
        """Raises AwayError, BusRefusedError."""


class _Growth(NamedTuple):
    """What a checkpoint is wanted for: the log's size and hash now, and the proof from the newest one's size."""

    earlier: int
    size: int
    root: bytes
    proof: tuple[bytes, ...]


def log_state(connection: Connection, size: int) -> LogState:
    """Two looks. Raises BusRefusedError NO_SUCH_SIZE, DAMAGED."""
    newest = connection.execute(_NEWEST).one_or_none()
    if size > (0 if newest is None else newest.size):
        raise BusRefusedError(Word.NO_SUCH_SIZE, "no checkpoint was given of so long a log")
    if newest is None:
        return LogState(None, ())
    return LogState(newest.signed, _proof(connection, size, newest.size))


class Checkpointer:
    """`boxes`: the transaction boxes, those that are asked first in front."""

    def __init__(self, keeper: Keeper, boxes: Callable[[], Iterable[Asker]], clock: Callable[[], int]) -> None:
        self._keeper = keeper
        self._boxes = boxes
        self._clock = clock
        self._entries = 0
        self._grown = asyncio.Event()
        self._much = asyncio.Event()
        # Bounded by boxes and words: a trouble that lasts is one warning.
        self._warned: set[tuple[str, str]] = set()

    def grow(self, entries: int) -> None:
        """So many entries were stored."""
        self._entries += entries
        self._grown.set()
        if self._entries >= CHECKPOINT_ENTRIES:
            self._much.set()

    async def run(self) -> None:
        """Until it is cancelled: at most one a CHECKPOINT_PAUSE, or for CHECKPOINT_ENTRIES."""
        while True:
            await self._grown.wait()
            self._forget()
            if await self.make():
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECKPOINT_PAUSE):
                        await self._much.wait()
            else:
                self._grown.set()
                await asyncio.sleep(CHECKPOINT_TRY_AGAIN)

    async def make(self) -> bool:
        """Now. True when the newest checkpoint is of the log as it stands."""
        try:
            growth = await self._keeper.read(_growth)
            if growth is None:
                return True
            for box in self._boxes():
                if await self._signed(box, growth):
                    return True
        except (BusRefusedError, DirectoryError) as error:
            log.error("no checkpoint", why=str(error))
        return False

    def _forget(self) -> None:
        self._entries = 0
        self._grown.clear()
        self._much.clear()

    async def _signed(self, box: Asker, growth: _Growth) -> bool:
        """Whether this box gave one. Raises BusRefusedError of the own database."""
        try:
            signed = await self._ask(box, growth)
        except AwayError as away:
            log.warning("a transaction box is away", box=box.name, why=away.why)
            return False
        except BusRefusedError as refused:
            await self._warn(box, refused)
            return False
        if signed is not None:
            await self._keeper.write(partial(_put, size=growth.size, signed=signed))
        return True

    async def _ask(self, box: Asker, growth: _Growth) -> bytes | None:
        """Nothing when another database server has one of a longer log. Raises AwayError, BusRefusedError."""
        wanted = SignCheckpoint(*growth)
        for _ in range(_TRIES):
            try:
                return (await box.ask(wanted, CHECKPOINT_TIME)).checkpoint
            except BusRefusedError as refused:
                if refused.word != Word.OTHER_SIZE:
                    raise
                earlier = _size_in(refused.data)
            if earlier > growth.size:
                await self._check_longer(earlier)
                return None
            proof = await self._keeper.read(partial(_proof, earlier=earlier, size=growth.size))
            wanted = SignCheckpoint(earlier, growth.size, growth.root, proof)
        raise AwayError(box.name, "it signs for other database servers all the time", was_sent=False)

    async def _check_longer(self, signed: int) -> None:
        """The log has as many entries by now as the box signed. Raises BusRefusedError TAMPERING."""
        if signed > await self._keeper.read(_size):
            raise BusRefusedError(Word.TAMPERING, f"the log is shorter than the {signed} entries that the box signed")

    async def _warn(self, box: Asker, refused: BusRefusedError) -> None:
        log.error("no checkpoint", box=box.name, word=refused.word, why=refused.why)
        if (box.name, refused.word) not in self._warned:
            self._warned.add((box.name, refused.word))
            why = f"{box.name} signs no checkpoint: {refused.why}"
            warning = warning_of(refused.word, "", why, self._clock())
            await self._keeper.write(partial(warn, asked=warning))
            self.grow(1)


def _growth(connection: Connection) -> _Growth | None:
    """Nothing when there is nothing new. Raises BusRefusedError DAMAGED."""
    frontier = head(connection)
    newest = connection.execute(_NEWEST).one_or_none()
    earlier = 0 if newest is None else newest.size
    if frontier.size == earlier:
        return None
    return _Growth(earlier, frontier.size, frontier.root, _proof(connection, earlier, frontier.size))


def _size(connection: Connection) -> int:
    return head(connection).size


def _proof(connection: Connection, earlier: int, size: int) -> tuple[bytes, ...]:
    """Raises BusRefusedError DAMAGED: somebody changed a size."""
    try:
        return tuple(with_nodes(connection, lambda nodes: consistency_proof(nodes, earlier, size)))
    except ValueError as error:
        raise damaged(str(error)) from None


def _put(connection: Connection, size: int, signed: bytes) -> None:
    """In the place of those before, which nobody asks for. Another server's of the same size is as good.

    Raises BusRefusedError DAMAGED.
    """
    # Everybody who writes locks the head before a row that another one may want.
    lock_head(connection)
    insert_all(connection, CHECKPOINTS, [{"size": size, "signed": signed}])
    connection.execute(_FORGET, {"newest": size})


def _size_in(signed: bytes | None) -> int:
    """Of the checkpoint that a box named; without one it has signed none. Raises BusRefusedError MALFORMED."""
    if signed is None:
        return 0
    try:
        return read(Checkpoint, sign1.unverified_payload(signed)).size
    except (CoseError, OfficeError):
        raise BusRefusedError(Word.MALFORMED, "the box named no checkpoint") from None

"""The audit: the log is read, the tables are held against it, and what does not fit is looked at once more.

The data centre goes on meanwhile: a row that is newer than the log was is no finding, once the log says it too.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Table

from fob_office.centre.auditing.asking import Database, pages_above, rows_above, rows_with
from fob_office.centre.auditing.comparing import TABLES, is_right, key_of, tell
from fob_office.centre.auditing.expected import Expected, Key
from fob_office.centre.auditing.findings import Findings
from fob_office.centre.auditing.following import Follower
from fob_office.centre.auditing.log_walk import LogWalk
from fob_office.centre.auditing.signed_sizes import SignedSizes
from fob_office.centre.auditing.versions import look_at_versions
from fob_office.centre.commands.database import Cell
from fob_office.centre.database.limits import KEYS_LIMIT
from fob_office.centre.database.tables import CHECKPOINTS, VERSIONS

# Looks at what did not fit, and seconds between: who franks all the time is met between two letters.
LOOKS: Final = 8
PAUSE: Final = 0.5
# A key of this program has at most a serial number of SERIAL_LIMIT characters: another one is asked for no more.
KEY_LIMIT: Final = 512
# Clocks of two machines.
AUDIT_SKEW: Final = 300

# What takes a while: its name, how much there is, and how much more is done.
Progress = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]


@dataclass(frozen=True, slots=True)
class Trusted:
    """What an audit goes by: what each transaction box holds (by its name), whose signatures count, and the time.

    `origin`: the log's name; keys are public, and raw.
    """

    held: Mapping[str, bytes | None]
    origin: str
    log_keys: Collection[bytes]
    providers: Collection[bytes]
    now: int


@dataclass
class Audited:
    """How much was looked at, and what was found. `is_compared`: without a whole log no table can be."""

    entries: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    findings: Findings = field(default_factory=Findings)
    is_compared: bool = False


async def audit(ask: Database, trusted: Trusted, progress: Progress, pause: float = PAUSE) -> Audited:
    """Of one database. Raises BusRefusedError, OperatorError."""
    audited = Audited()
    audited.rows[VERSIONS.name] = await look_at_versions(ask, audited.findings)
    with Expected() as expected:
        walk = await _read_log(ask, trusted, progress, expected, audited.findings)
        audited.entries = walk.frontier.size
        if walk.is_whole:
            audited.is_compared = True
            comparison = _Comparison(ask, trusted, expected, audited)
            with progress("Reading the tables", expected.count()) as told:
                for table in TABLES:
                    await comparison.look_at(table, told)
            expected.doubt_unmet(trusted.now + AUDIT_SKEW)
            await comparison.look_again(walk, pause)
    return audited


async def _read_log(
    ask: Database, trusted: Trusted, progress: Progress, expected: Expected, findings: Findings
) -> LogWalk:
    signed = SignedSizes(trusted.origin, trusted.log_keys, findings)
    for box, held in trusted.held.items():
        signed.take_held(box, held)
    for row in await _all_checkpoints(ask):
        signed.take_row(row)
    follower = Follower(expected, findings, trusted.providers)
    with progress("Reading the log", max(signed.sizes, default=0)) as told:
        walk = LogWalk(ask, follower, findings, told)
        for size in signed.sizes:
            walk.want(size)
        await walk.go_on()
        if walk.is_whole:
            await walk.judge_head()
    signed.judge(walk)
    if signed.newest and not await _is_stored(ask, signed.newest):
        findings.add(CHECKPOINTS.name, str(signed.newest), "", "a checkpoint that a box signed", "no newer row")
    return walk


async def _all_checkpoints(ask: Database) -> Sequence[tuple[Cell, ...]]:
    """There is one, but where a server of an earlier version kept all: then a page of the oldest."""
    return (await ask(rows_above(CHECKPOINTS, None))).rows


async def _is_stored(ask: Database, size: int) -> bool:
    """Whether there is one of this size, or of a longer log. A box signs a moment before it is stored."""
    for _ in range(LOOKS):
        if (await ask(rows_above(CHECKPOINTS, (size - 1,)))).rows:
            return True
        await asyncio.sleep(PAUSE / LOOKS)
    return False


class _Comparison:
    """Of tables with what is expected."""

    def __init__(self, ask: Database, trusted: Trusted, expected: Expected, audited: Audited) -> None:
        self._ask = ask
        self._trusted = trusted
        self._expected = expected
        self._audited = audited

    async def look_at(self, table: Table, told: Callable[[int], object]) -> None:
        """All rows; what does not fit is in doubt. Raises BusRefusedError."""
        count = 0
        async for rows in pages_above(self._ask, table, None):
            for row in rows:
                self._see(table, key_of(table, row), row)
            count += len(rows)
            told(len(rows))
        self._audited.rows[table.name] = count

    def _see(self, table: Table, key: Key, row: Sequence[Cell]) -> None:
        if is_right(self._expected, table, row):
            self._expected.meet(table.name, key)
        elif any(isinstance(cell, str | bytes) and len(cell) > KEY_LIMIT for cell in key):
            tell(self._expected, self._audited.findings, table, key, row)
        else:
            self._expected.doubt(table.name, key)

    async def look_again(self, walk: LogWalk, pause: float) -> None:
        """At what is in doubt, with the log as it is by now; what stays is found. Raises BusRefusedError."""
        for look in range(LOOKS):
            if not self._expected.doubts():
                return
            size = walk.frontier.size
            await walk.go_on()
            await self._each_doubt(walk, self._dispel)
            await walk.go_on()
            if look and walk.frontier.size == size:
                break
            await asyncio.sleep(pause)
        await self._each_doubt(walk, self._tell)

    async def _each_doubt(self, walk: LogWalk, do: Callable[[Table, Key, Sequence[Cell] | None], object]) -> None:
        for table in TABLES:
            for keys in self._expected.doubted(table.name, KEYS_LIMIT):
                found = await rows_with(self._ask, table, keys)
                await walk.go_on()
                for key in keys:
                    do(table, key, found.get(key))

    def _dispel(self, table: Table, key: Key, row: Sequence[Cell] | None) -> None:
        if self._is_well(table, key, row):
            self._expected.dispel(table.name, key)

    def _tell(self, table: Table, key: Key, row: Sequence[Cell] | None) -> None:
        if not self._is_well(table, key, row):
            tell(self._expected, self._audited.findings, table, key, row)

    def _is_well(self, table: Table, key: Key, row: Sequence[Cell] | None) -> bool:
        """Also where it is over, and was erased."""
        if row is not None:
            return is_right(self._expected, table, row)
        is_gone = self._expected.get(table.name, key) is None
        return is_gone or self._expected.is_over(table.name, key, self._trusted.now + AUDIT_SKEW)

"""The log as it stands in the database: its entries in their order, the nodes that they complete, and its head."""

from collections.abc import Callable
from typing import Final

from fob_office.centre.auditing.asking import Database, pages_above, rows_above
from fob_office.centre.auditing.findings import NOTHING, Findings, cell_in_words
from fob_office.centre.auditing.following import Follower
from fob_office.centre.commands.database import Cell
from fob_office.centre.database.tables import ENTRIES, LOG_HEADS
from fob_protocol.metering.log.entry import entry_octets
from fob_protocol.metering.log.hashes import leaf_hash
from fob_protocol.metering.log.tree import Frontier

_ID: Final = 1


class LogWalk:
    """`told` hears of how many entries more. While it is whole, each goes to the follower."""

    def __init__(self, ask: Database, follower: Follower, findings: Findings, told: Callable[[int], object]) -> None:
        self._ask = ask
        self._follower = follower
        self._findings = findings
        self._told = told
        self._wanted: set[int] = {0}
        self.frontier = Frontier()
        # Of the log at the sizes that are wanted.
        self.seen: dict[int, Frontier] = {0: self.frontier}
        self.is_whole = True

    def want(self, size: int) -> None:
        """The frontier that the log had, or will have, with so many entries."""
        self._wanted.add(size)
        if size == self.frontier.size:
            self.seen[size] = self.frontier

    async def go_on(self) -> None:
        """To the end, as it is now. Raises BusRefusedError."""
        if not self.is_whole:
            return
        # The number of the last one; a row before the first is seen too.
        after = (self.frontier.size - 1,) if self.frontier.size else None
        async for rows in pages_above(self._ask, ENTRIES, after):
            for row in rows:
                self._take(row)
                if not self.is_whole:
                    return
            self._told(len(rows))

    async def judge_head(self) -> None:
        """And go on to it. Raises BusRefusedError."""
        rows = (await self._ask(rows_above(LOG_HEADS, None))).rows
        match rows:
            case ((1, int() as size, bytes() as hashes),) if size >= self.frontier.size:
                self.want(size)
            case _:
                there = ", ".join(cell_in_words(cell) for row in rows for cell in row)
                self._broken(LOG_HEADS.name, _ID, "size", f"1 row of {self.frontier.size} entries", there or NOTHING)
                return
        await self.go_on()
        if not self.is_whole:
            return
        if size not in self.seen:
            self._broken(LOG_HEADS.name, _ID, "size", f"{self.frontier.size} entries", str(size))
        elif (due := b"".join(self.seen[size].hashes)) != hashes:
            self._broken(LOG_HEADS.name, _ID, "hashes", cell_in_words(due), cell_in_words(hashes))

    def _take(self, row: tuple[Cell, ...]) -> None:
        number = self.frontier.size
        match row:
            case (int() as stands, int() as kind, bytes() as hashes, bytes() as content):
                pass
            case _:
                self._broken(ENTRIES.name, number, "", "an entry", "what is none")
                return
        if stands != number:
            self._broken(ENTRIES.name, number, "number", str(number), str(stands))
            return
        frontier, made = self.frontier.append(leaf_hash(entry_octets(kind, content)))
        due = b"".join(node.hash for node in made)
        if due != hashes:
            self._broken(ENTRIES.name, number, "kind, content or hashes", cell_in_words(due), cell_in_words(hashes))
            return
        self.frontier = frontier
        if frontier.size in self._wanted:
            self.seen[frontier.size] = frontier
        self._follower.follow(number, kind, content)

    def _broken(self, table: str, key: int, column: str, log: str, there: str) -> None:
        """Nothing can be held against such a log."""
        self.is_whole = False
        self._findings.add(table, key, column, log, there)

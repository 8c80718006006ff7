"""Checkpoints: those that stand in the table, and those that transaction boxes hold, have to be of this log."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from fob_office.centre.auditing.findings import NOTHING, Findings
from fob_office.centre.auditing.log_walk import LogWalk
from fob_office.centre.commands.database import Cell
from fob_office.centre.database.tables import CHECKPOINTS
from fob_protocol.metering.log.checkpoint import Checkpoint, read_checkpoint
from fob_protocol.metering.log.errors import LogError


class Kept(NamedTuple):
    """By a box of this name, or in the table under a size."""

    where: str
    checkpoint: Checkpoint


class SignedSizes:
    """`keys`: of all transaction boxes that ever signed here; `origin`: the log's name."""

    def __init__(self, origin: str, keys: Collection[bytes], findings: Findings) -> None:
        self._origin = origin
        self._keys = keys
        self._findings = findings
        self._kept: list[Kept] = []
        self._held = 0

    @property
    def sizes(self) -> set[int]:
        """Of all that there are."""
        return {kept.checkpoint.size for kept in self._kept}

    @property
    def newest(self) -> int:
        """The longest log that a box says it signed."""
        return self._held

    def take_held(self, box: str, signed: bytes | None) -> None:
        """What a transaction box holds; nothing before it signed one."""
        if signed is not None and (checkpoint := self._read(box, signed)) is not None:
            self._kept.append(Kept(box, checkpoint))
            self._held = max(self._held, checkpoint.size)

    def take_row(self, row: Sequence[Cell]) -> None:
        """Of the table."""
        match row:
            case (int() as size, bytes() as signed):
                checkpoint = self._read(str(size), signed)
                if checkpoint is None:
                    return
                if checkpoint.size != size:
                    self._findings.add(CHECKPOINTS.name, size, "size", str(checkpoint.size), str(size))
                self._kept.append(Kept(str(size), checkpoint))
            case _:
                self._findings.add(CHECKPOINTS.name, row[0], "signed", "a checkpoint", NOTHING)

    def judge(self, walk: LogWalk) -> None:
        """Behind the end of the log."""
        for where, checkpoint in self._kept:
            frontier = walk.seen.get(checkpoint.size)
            if frontier is None:
                said = f"the log ends at {walk.frontier.size}"
                self._findings.add(CHECKPOINTS.name, where, "size", said, str(checkpoint.size))
            elif frontier.root != checkpoint.root:
                self._findings.add(CHECKPOINTS.name, where, "signed", frontier.root.hex(), checkpoint.root.hex())

    def _read(self, where: str, signed: bytes) -> Checkpoint | None:
        try:
            return read_checkpoint(self._keys, self._origin, signed)
        except LogError as error:
            self._findings.add(CHECKPOINTS.name, where, "signed", "a checkpoint of this log", str(error))
        return None

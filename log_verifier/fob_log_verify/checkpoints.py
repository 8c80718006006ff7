"""Checkpoints that somebody kept, and what the log makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_log_verify.cbor import CborError, read
from fob_log_verify.errors import UnreadableError
from fob_log_verify.findings import Finding, Findings, Outcome
from fob_log_verify.limits import CHECKPOINT_LIMIT, SIZE_LIMIT
from fob_log_verify.sign1 import Keys, Signed, take_apart

_LABEL: Final = "fob/1 checkpoint"
_HASH_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file says: the log `origin` had `size` entries and this root, at a time in seconds since 1970."""

    path: Path
    signed: Signed
    origin: str
    size: int
    root: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """On a checkpoint. `place`: the entry at which it is seen, where the records tell.

    `begin` and `end`: the first entry that is another stands from the one to before the other.
    """

    checkpoint: Checkpoint
    outcome: Outcome
    why: str
    place: int | None = None
    begin: int | None = None
    end: int | None = None


def read_checkpoint(path: Path) -> Checkpoint:
    """Raises UnreadableError; whether the signature holds is for the verdict."""
    again = f"fob-log-verify LOG    (without {path})"
    try:
        with path.open("rb") as file:
            octets = file.read(CHECKPOINT_LIMIT + 1)
        signed = take_apart(octets)
        match read(signed.payload):
            case [1, str(origin), int(size), bytes(root), int(time)]:
                if 0 <= size <= SIZE_LIMIT and len(root) == _HASH_SIZE and time >= 0:
                    return Checkpoint(path, signed, origin, size, root, time)
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read", str(error.strerror), again) from None
    except CborError as error:
        raise UnreadableError(f"{path} is no checkpoint", str(error), again) from None
    raise UnreadableError(f"{path} is no checkpoint", "origin, size, root and time are due", again)


class Witnesses:
    """All checkpoints. They are told the roots while the log is read, and judged behind its end."""

    def __init__(self, checkpoints: Sequence[Checkpoint], origin: str, keys: Keys) -> None:
        self._checkpoints = checkpoints
        self._origin = origin
        self._keys = keys
        self.sizes = {checkpoint.size for checkpoint in checkpoints}
        self._roots: dict[int, bytes] = {}

    def see(self, size: int, root: bytes) -> None:
        """The log has this root at one of `sizes`."""
        self._roots[size] = root

    def verdicts(self, size: int, findings: Findings, difference: Finding | None) -> list[Verdict]:
        """One for each checkpoint, in the order in which they were given; the log has `size` entries.

        `difference` is where a kept export is another, which tells it best.
        """
        agreeing = [checkpoint.size for checkpoint in self._checkpoints if self._agrees(checkpoint)]
        found = ([] if difference is None else [difference]) + findings.shown
        return [self._verdict(checkpoint, size, agreeing, found) for checkpoint in self._checkpoints]

    def _agrees(self, checkpoint: Checkpoint) -> bool:
        return self._foreign(checkpoint) is None and self._roots.get(checkpoint.size) == checkpoint.root

    def _foreign(self, checkpoint: Checkpoint) -> Verdict | None:
        if not self._keys.signed(_LABEL, checkpoint.signed):
            return Verdict(checkpoint, Outcome.NOT_SIGNED, "none of the log's keys signed it")
        if checkpoint.origin != self._origin:
            return Verdict(checkpoint, Outcome.OTHER_LOG, f"it is of {checkpoint.origin!a}, not of {self._origin!a}")
        return None

    def _verdict(self, checkpoint: Checkpoint, size: int, agreeing: Sequence[int], found: Sequence[Finding]) -> Verdict:
        if (foreign := self._foreign(checkpoint)) is not None:
            return foreign
        if self._agrees(checkpoint):
            return Verdict(checkpoint, Outcome.AGREES, "all entries before it are as they were")
        if checkpoint.size > size:
            why = (
                f"the log ends at {size}: entries were deleted, an older log was put back, "
                "or it was exported before this checkpoint was made (then export it anew)"
            )
            return Verdict(checkpoint, Outcome.CUT_OFF, why)
        begin = max((other for other in agreeing if other < checkpoint.size), default=0)
        return _rewritten(checkpoint, begin, found)


def _rewritten(checkpoint: Checkpoint, begin: int, found: Sequence[Finding]) -> Verdict:
    """What is wrong with the records between names it, where they tell."""
    end = checkpoint.size
    for finding in found:
        if begin <= finding.place < end:
            return Verdict(checkpoint, finding.outcome, finding.why, finding.place, begin, end)
    if end - begin == 1:
        return Verdict(checkpoint, Outcome.CHANGED, "this entry is another", begin, begin, end)
    why = "entries were changed, deleted, swapped or put back, and the records do not tell which"
    return Verdict(checkpoint, Outcome.REWRITTEN, why, None, begin, end)

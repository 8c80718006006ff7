"""Measuring a program of 100 MB from its file, by each variant, beside sha256sum on the same file, in turn."""

import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from figures import Figure, at_most, run_bench
from fob_protocol.integrity.identifier import mark_of, marked
from fob_protocol.integrity.limits import PIECE_SIZE
from fob_protocol.integrity.measure import integrity_value
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.order import Direction, order_of
from fob_protocol.integrity.source import Source, Stored

SIZE: Final = 100_000_000
QUICK_SIZE: Final = 1_000_000
RUNS: Final = 5
QUICK_RUNS: Final = 1
IV: Final = bytes(16)
CHALLENGE: Final = bytes(32)


def measure(quick: bool) -> Sequence[Figure]:
    """The file lies in the folder for temporary files, and in the page cache."""
    with tempfile.NamedTemporaryFile(prefix="fob-bench-") as file:
        size = QUICK_SIZE if quick else SIZE
        file.write(os.urandom(size))
        file.flush()
        program = Stored(size, lambda at, count: os.pread(file.fileno(), count, at))
        return _figures(program, Path(file.name), QUICK_RUNS if quick else RUNS)


def _figures(program: Source, path: Path, runs: int) -> list[Figure]:
    kinds = {_shown(variant, direction): _measuring(program, variant, direction) for variant, direction in _kinds()}
    kinds["SHA-256 of our library, and nothing else"] = lambda: _hash(program)
    took: dict[str, list[float]] = {name: [] for name in kinds}
    peers: list[float] = []
    for _ in range(runs):
        for name, kind in kinds.items():
            peers.append(_seconds(lambda: _sha256sum(path)))
            took[name].append(_seconds(kind))
    peer = median(peers)
    return [
        Figure(
            f"{program.length // 1_000_000} MB by {name} / sha256sum",
            median(times) / peer,
            "times",
            at_most(1.5),
            f"{median(times) * 1000:.0f} and {peer * 1000:.0f} ms",
        )
        for name, times in took.items()
    ]


def _kinds() -> list[tuple[Variant, Direction]]:
    """Each variant, and those that may go towards the start by both ways."""
    return [
        (variant, direction)
        for variant in Variant
        for direction in Direction
        if variant.has_direction or direction is Direction.TOWARDS_END
    ]


def _shown(variant: Variant, direction: Direction) -> str:
    way = f", {direction.name.lower().replace('_', ' ')}" if variant.has_direction else ""
    return f"VA-{variant}{way}"


def _measuring(program: Source, variant: Variant, direction: Direction) -> Callable[[], object]:
    """With a challenge (D3), by an identifier that goes this way."""
    method = Method(Technique.D3, Embedder.DISTRIBUTOR, variant)
    iv = IV if variant.has_iv else None
    identifiers = (hashlib.sha256(bytes([count])).digest() for count in range(256))
    size = program.length + len(mark_of(bytes(32)))
    identifier = next(one for one in identifiers if order_of(method, one, iv, size).direction is direction)
    return lambda: integrity_value(method, identifier, iv, CHALLENGE, marked(program, mark_of(identifier)))


def _hash(program: Source) -> None:
    """To see what of a ratio is the library's: not every sha256sum uses what the processor has for this."""
    value = hashlib.sha256()
    for at in range(0, program.length, PIECE_SIZE):
        value.update(program.read(at, min(PIECE_SIZE, program.length - at)))
    value.digest()


def _sha256sum(path: Path) -> None:
    subprocess.run(["sha256sum", path], check=True, capture_output=True)


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


if __name__ == "__main__":
    run_bench(__doc__ or "", measure)

"""The virtual meter: what a data centre of real processes franks, beside bare database transactions of the same shape.

On SQLite, and on Debian's PostgreSQL, which it starts. Both are measured in turn, by one process that speaks to the
communication server as a web worker does. Questions are sealed, and answers opened, while no time is taken.
"""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from figures import Figure, Results, Row, at_least, at_most, run_load_bench

# A PostgreSQL to start is what the tests have already.
sys.path.append(str(Path(__file__).parents[1] / "tests"))

from bare_store import Bare, group_gain, shape_of
from fob_office.centre.database.keeping import migrate_meters
from meter_crowd import Crowd, Run
from meter_fill import fill
from meter_stage import BARE, meter_centre
from support.postgresql import Cluster, running_cluster

AT_ONCE: Final = (1, 8, 64)
# Questions of one turn, by how many are asked at once; how often bare and frank take turns.
COUNTS: Final[Mapping[int, int]] = {1: 200, 8: 400, 64: 960}
TURNS: Final = 3
LOADS: Final = 320
BATCH: Final = 64
BATCHES: Final = 160

SIZES: Final = (1_000, 100_000, 1_000_000)
QUICK_SIZES: Final = (100, 200)
# A disk that takes so many seconds longer for a commit; how many Stores are done alone, and in groups.
FLUSH: Final = 0.002
GROUP: Final = 100
ALONE: Final = 200
GROUPS: Final = 20
# Milliseconds of a kind of process that are worth a word.
_LEAST_SHOWN: Final = 0.05


def measure(quick: bool) -> Results:
    """Both databases, one after the other."""
    results = Results()
    with running_cluster(is_durable=True) as cluster:
        for place in (None, cluster):
            beside_bare(results, place, quick=quick)
            by_size(results, place, QUICK_SIZES if quick else SIZES, quick=quick)
            results.figures.append(_gain(place, quick=quick))
    return results


def beside_bare(results: Results, cluster: Cluster | None, *, quick: bool) -> None:
    """Franks of a piece and of a batch beside bare transactions; loads."""
    with meter_centre(cluster, BARE) as centre:
        crowd = Crowd(centre, max(AT_ONCE))
        for pieces in (1, BATCH):
            for at_once in AT_ONCE:
                count = 2 * at_once if quick else COUNTS[at_once] if pieces == 1 else max(BATCHES, at_once)
                turns = _in_turn(crowd, at_once, count, pieces, 1 if quick else TURNS)
                _compare(results, centre.name, at_once, pieces, turns)
        for at_once in AT_ONCE:
            run = crowd.load(at_once, 2 * at_once if quick else LOADS)
            results.rows.append(_row(centre.name, "load", at_once, [run]))


def _in_turn(crowd: Crowd, at_once: int, count: int, pieces: int, turns: int) -> list[tuple[Run, Run]]:
    """Frank and bare. The first turn fills caches, and shows what a frank stores."""
    crowd.frank(at_once, max(at_once, count // 4), pieces)
    bare = Bare(crowd.centre.bare, shape_of(crowd.centre.url), crowd.centre.database_pid)
    try:
        bare.measure(at_once, at_once)
        return [(crowd.frank(at_once, count, pieces), bare.measure(at_once, count)) for _ in range(turns)]
    finally:
        bare.close()


def _compare(results: Results, name: str, at_once: int, pieces: int, turns: Sequence[tuple[Run, Run]]) -> None:
    franks, bares = zip(*turns, strict=True)
    what = "frank" if pieces == 1 else f"frank of {pieces}"
    results.rows += [
        _row(name, what, at_once, franks),
        _row(name, f"bare, shape of {what}", at_once, bares),
    ]
    ratio = median(bare.rate / frank.rate for frank, bare in turns)
    cpu = median(_cpu(frank) / _cpu(bare) for frank, bare in turns)
    errors = sum(run.errors.total() for run in franks)
    where = f"{name}, {what}, {at_once} at once"
    goal = at_most(3) if pieces == 1 else None
    results.figures += [
        Figure(f"{where}: bare transactions/s / franks/s", ratio, "times", goal, f"{len(turns)} turns"),
        Figure(f"{where}: processor time / a bare transaction's", cpu, "times"),
        Figure(f"{where}: errors", errors, "", at_most(0), f"of {sum(len(run.seconds) for run in franks)}"),
    ]


def by_size(results: Results, cluster: Cluster | None, sizes: Sequence[int], *, quick: bool) -> None:
    """Franks of a piece, 64 at once, in data centres of each size in turn."""
    at_once = max(AT_ONCE)
    with ExitStack() as stack:
        centres = [stack.enter_context(meter_centre(cluster, size)) for size in sizes]
        crowds = [Crowd(centre, at_once) for centre in centres]
        runs: list[list[Run]] = [[] for _ in crowds]
        for _ in range(2 if quick else TURNS + 2):
            for crowd, done in zip(crowds, runs, strict=True):
                done.append(crowd.frank(at_once, 2 * at_once if quick else COUNTS[at_once], 1))
        # The first turn fills caches, and is not counted.
        least = runs[0][1:]
        for size, done in zip(sizes, runs, strict=True):
            results.rows.append(_row(centres[0].name, f"frank, {size:,} meters", at_once, done[1:]))
        for size, done in zip(sizes[1:], runs[1:], strict=True):
            rate = median(more.rate / few.rate for more, few in zip(done[1:], least, strict=True))
            cpu = median(_cpu(more) / _cpu(few) for more, few in zip(done[1:], least, strict=True))
            what = f"{centres[0].name}, {size:,} meters / {sizes[0]:,}"
            results.figures += [
                Figure(f"{what}: franks/s", rate, "times", at_least(0.6)),
                Figure(f"{what}: processor time of a frank", cpu, "times"),
            ]


def _gain(cluster: Cluster | None, *, quick: bool) -> Figure:
    """Where a commit takes longer: 100 Stores in one, and each in its own."""
    alone, groups = (10, 1) if quick else (ALONE, GROUPS)
    with _filled(cluster, alone + GROUP * groups) as url:
        one, many = group_gain(url, FLUSH, GROUP, alone, groups)
    what = f"{'PostgreSQL' if cluster else 'SQLite'}, a flush of 2 ms: stores/s in groups of {GROUP} / alone"
    return Figure(what, many / one, "times", at_least(10), f"{many:,.0f} and {one:,.0f}")


@contextmanager
def _filled(cluster: Cluster | None, count: int) -> Iterator[str]:
    """A database of its own, without a data centre."""
    with tempfile.TemporaryDirectory(prefix="fob-bench-") as folder, ExitStack() as stack:
        url = stack.enter_context(cluster.database()) if cluster else f"sqlite:///{Path(folder) / 'meters.db'}"
        migrate_meters(url)
        fill(url, count, int(time.time()))
        yield url


def _cpu(run: Run) -> float:
    return sum(run.cpu_ms.values())


def _row(name: str, what: str, at_once: int, runs: Sequence[Run]) -> Row:
    """Medians of the turns; milliseconds."""
    kinds = {kind: median(run.cpu_ms.get(kind, 0.0) for run in runs) for kind in runs[0].cpu_ms}
    shares = ", ".join(f"{kind} {share:.2f}" for kind, share in kinds.items() if share >= _LEAST_SHOWN)
    return {
        "database": name,
        "what": what,
        "at once": str(at_once),
        "a second": median(run.rate for run in runs),
        "50 %": median(run.percentile(50) for run in runs),
        "95 %": median(run.percentile(95) for run in runs),
        "errors": str(sum(run.errors.total() for run in runs)),
        "processors": median(_cpu(run) for run in runs),
        "of it": shares,
    }


if __name__ == "__main__":
    run_load_bench(__doc__, measure)

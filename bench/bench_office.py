"""The back office: 2,000 devices by real HTTPS, and what one costs beside 1,000, 10,000 and 100,000 others.

On SQLite, and on Debian's PostgreSQL, which it starts. Times of a table are milliseconds, those of processors for each
exchange.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from figures import Figure, Results, at_most, run_load_bench

# Devices, and an office to start, are what the tests have already.
sys.path.append(str(Path(__file__).parents[1] / "tests"))

from fob_office.components.drafts import Draft
from fob_office.components.service import add_release
from fob_office.components.tables import ReleaseState
from fob_office.rollout.service import Course, create_rollout
from fob_protocol.office.component import Kind
from office_crowd import MS, Crowd
from office_stage import Stage, durable_cluster, postgresql_stage, sqlite_stage
from support.office_device import HARDWARE
from support.office_fleet import Fleet
from support.office_life import Factory
from support.office_process import PROGRAM

# What each device orders: a module, and the data that it needs.
OPTION: Final = "postage-rates"
# Devices, and connections.
LOADS: Final = ((200, 8), (2000, 64))
QUICK_LOADS: Final = ((20, 8),)
# Processes of the office, and processors of this machine.
WORKERS: Final = 2

SIZES: Final = (1_000, 10_000, 100_000)
QUICK_SIZES: Final = (100, 200)
# Devices that come one after the other to each office in turn, and how often.
TURN: Final = 20
TURNS: Final = 6
QUICK_TURNS: Final = 1
# What the others hold, and what a rollout brings them.
FLEET: Final = "fleet"
ROLLOUT: Final = "fleet-2"
COMMANDS: Final = (
    ("device", "list", "--after", "F-000500", "--json"),
    ("rollout", "start", ROLLOUT),
    ("rollout", "list", "--json"),
    ("rollout", "show", ROLLOUT, "--json"),
)

Open = Callable[[int], AbstractContextManager[Stage]]


def measure(quick: bool) -> Results:
    """Both databases, one after the other."""
    results = Results()
    with durable_cluster() as cluster:
        for opened in (sqlite_stage, lambda workers: postgresql_stage(cluster, workers)):
            for devices, at_once in QUICK_LOADS if quick else LOADS:
                load(results, opened, devices, at_once)
            scale(results, opened, QUICK_SIZES if quick else SIZES, QUICK_TURNS if quick else TURNS)
    return results


def load(results: Results, opened: Open, devices: int, at_once: int) -> None:
    """All devices at the same step, over so many connections."""
    with opened(WORKERS) as stage:
        factory = Factory(stage.office, OPTION)
        crowd = Crowd(stage, at_once)
        crowd.live([factory.make(f"M-{number:06}") for number in range(devices)])
        where = f"{stage.name}, {at_once} at once"
    steps = crowd.steps.values()
    count = sum(len(step.seconds) for step in steps)
    took, office, database = (
        sum(each) for each in zip(*((s.took, s.office_cpu, s.database_cpu) for s in steps), strict=True)
    )
    errors = sum((step.errors for step in steps), Counter[str]())
    wrong = errors.total() + sum(step.refusals for step in steps)
    named = "".join(f", {times} times {error}" for error, times in errors.items())
    results.rows += [{"load": where} | step.as_data() for step in steps]
    results.figures += [
        Figure(f"{where}: errors and refusals", wrong, "", at_most(0), f"of {count} for {devices} devices{named}"),
        Figure(f"{where}: exchanges", count / took, "/s", detail=f"{devices / took:.1f} devices/s"),
        Figure(
            f"{where}: processor time of an exchange", (office + database) / count * MS, "ms",
            detail=f"office {office / count * MS:.2f}, database {database / count * MS:.2f}, "
            f"client {crowd.client_cpu / count * MS:.2f}; device, while the office rests, "
            f"{crowd.crypto_cpu / count * MS:.2f}",
        ),
    ]  # fmt: skip


@dataclass
class Side:
    """An office with so many devices, and what others cost there: for each turn."""

    stage: Stage
    size: int
    cpu: list[float] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """Medians."""
        return f"{median(self.cpu) * MS:.2f} ms of processors, {median(self.latency) * MS:.2f} ms"


def scale(results: Results, opened: Open, sizes: Sequence[int], turns: int) -> None:
    """Devices that come one by one to offices of each size, in turn."""
    with ExitStack() as stack:
        sides = [Side(stack.enter_context(opened(1)), size) for size in sizes]
        for side in sides:
            fill(side)
        # The first turn fills caches, and is not counted.
        for turn in range(turns + 1):
            for side in sides:
                come(side, turn)
        for side in sides:
            del side.cpu[0], side.latency[0]
        least = sides[0]
        for side in sides[1:]:
            what = f"{side.stage.name}, {side.size:,} devices / {least.size:,}"
            cpu, latency = (
                [mine / theirs for mine, theirs in zip(ours, others, strict=True)]
                for ours, others in ((side.cpu, least.cpu), (side.latency, least.latency))
            )
            detail = f"{side.shown}, and {least.shown}"
            results.figures += [
                Figure(f"{what}: processor time of an exchange", median(cpu), "times", at_most(1.25), detail),
                Figure(f"{what}: median latency", median(latency), "times", at_most(1.25)),
            ]
        results.figures += [operated(least, sides[-1], words) for words in COMMANDS]


def fill(side: Side) -> None:
    """With devices that have a history, and a rollout that waits for them."""
    office = side.stage.office
    for version, state in (((1, 0, 0), ReleaseState.AVAILABLE), ((2, 0, 0), ReleaseState.STAGED)):
        draft = Draft(FLEET, version, "Fleet", Kind.DATA, b"a table", (HARDWARE,))
        add_release(office, draft, "operator", state=state)
    Fleet(office, FLEET).grow(side.size)
    create_rollout(office, ROLLOUT, FLEET, (2, 0, 0), Course(), "operator")


def come(side: Side, turn: int) -> None:
    """Some devices more, over one connection."""
    factory = Factory(side.stage.office, OPTION)
    crowd = Crowd(side.stage, 1)
    crowd.live([factory.make(f"M-{turn:02}-{number:03}") for number in range(TURN)])
    steps = crowd.steps.values()
    assert not sum(step.errors.total() + step.refusals for step in steps)
    seconds = [one for step in steps for one in step.seconds]
    side.cpu.append(sum(step.office_cpu + step.database_cpu for step in steps) / len(seconds))
    # Each step has its own median: the steps differ more than the offices.
    side.latency.append(sum(median(step.seconds) for step in steps) / len(steps))


def operated(least: Side, most: Side, words: Sequence[str]) -> Figure:
    """How much longer an operator's command takes where there are many devices."""
    few, many = (command(side, words) for side in (least, most))
    what = f"{most.stage.name}, {most.size:,} devices: fob-office {' '.join(words[:2])}"
    detail = f"{many:.2f} and {few:.2f} s, the program's start among them"
    return Figure(f"{what}, longer than with {least.size:,}", many - few, "s", at_most(1), detail)


def command(side: Side, words: Sequence[str]) -> float:
    """Seconds from the program's start to its end."""
    began = time.perf_counter()
    state = str(side.stage.office.settings.state)
    subprocess.run([*PROGRAM, *words, "--state", state], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    run_load_bench(__doc__, measure)

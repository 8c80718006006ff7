"""By Bluetooth on the virtual radio, with a real data centre: how long whoever franks a letter waits."""

import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from bench_radio import INTERVAL
from figures import Figure, Goal, at_most, run_bench
from fob_daemon.cli.client import Client
from fob_daemon.control.json_form import Json
from fob_daemon.demo.links import RadioLink
from fob_daemon.demo.metering import METER_OPTIONS, TERMS
from fob_daemon.demo.office import DemoOffice
from fob_daemon.demo.processes import Processes
from fob_daemon.demo.run import switch_on_and_pair
from fob_daemon.demo.scratch import TOKEN_LABEL, Scratch
from fob_device.ports.ble.tempo import FIRST_ASK_AFTER

FRANKS: Final = 100
QUICK_FRANKS: Final = 5
# Letters after a pause in which the phone has calmed down, and its seconds.
PAUSES: Final = 20
QUICK_PAUSES: Final = 3
PAUSE: Final = 12.0
MS: Final = 1000
# Milliseconds: what phones commonly choose, and the least that they grant to whoever asks for quick answers.
INTERVALS: Final = (INTERVAL, 15.0)
# Seconds: a person who franks has typed the PIN before.
UNLOCKED: Final = 3600
PIECE: Final[dict[str, Json]] = {
    "destination": "10115",
    "address": "Grace Hopper, Invalidenstr. 117, 10115 Berlin",
    "grams": 20,
    "service": "letter",
    "zone": "domestic",
}


@dataclass(frozen=True, slots=True)
class Mailer:
    """A computer with a phone that has a meter, and money on it; it is unlocked, and its person says yes at once."""

    processes: Processes
    client: Client

    def frank(self) -> float:
        """A letter, as `fob meter frank` asks for it: the seconds until whoever asked is told that it is franked.

        Returns when the device has heard that its result was taken.
        """
        began, heard = time.perf_counter(), {}
        number = self._post("jobs", command="XRATE")["job"]
        self._post("jobs", str(number), "pieces", pieces=[PIECE], cleanse=False)
        path = ("devices", TOKEN_LABEL, "meter", "jobs", str(number), "franking")
        with self.client.stream("POST", *path, body={}) as events:
            for event in events:
                heard[event.name] = time.perf_counter() - began
        if list(heard) != ["franked", "finished"]:
            raise RuntimeError(f"the letter was not franked: {list(heard)}")
        return heard["franked"]

    def round_trips(self) -> int:
        """Since the daemon started."""
        return int(self.client.get("devices")["devices"][0]["round_trips"])

    def _post(self, *path: str, **body: Json) -> Any:
        return self.client.post("devices", TOKEN_LABEL, "meter", *path, body=body)


def measure(quick: bool) -> Sequence[Figure]:
    """As it is used, then at each interval held."""
    held = [figure for interval in INTERVALS for figure in letters_at(quick, interval)]
    return [*letters_as_used(quick), *held]


def letters_as_used(quick: bool) -> Sequence[Figure]:
    """A phone that has been connected for a while asks for a quick interval, and calms down in a pause."""
    with mailer(RadioLink(INTERVAL)) as one:
        time.sleep(FIRST_ASK_AFTER)
        one.frank()
        follow = franked(one, QUICK_FRANKS if quick else FRANKS)
        alone = franked(one, QUICK_PAUSES if quick else PAUSES, PAUSE)
    return [
        ninety_five("a letter franked from the computer after another one", follow, at_most(250)),
        ninety_five(f"the same after {PAUSE:g} s without one", alone),
    ]


def letters_at(quick: bool, interval: float) -> Sequence[Figure]:
    """At an interval that stays."""
    with mailer(RadioLink(interval, hold=True)) as one:
        # It asks what is known of the office anew.
        one.frank()
        before = one.round_trips()
        took = franked(one, QUICK_FRANKS if quick else FRANKS)
        crossed = (one.round_trips() - before) / len(took)
    return [
        ninety_five(f"the same at an interval of {interval:g} ms", took),
        Figure("the same, median", median(took) / interval, "intervals"),
        Figure("link round trips for it", crossed, ""),
    ]


def franked(one: Mailer, letters: int, pause: float = 0.0) -> list[float]:
    """The milliseconds of each, after so many seconds without one."""
    took = []
    for _ in range(letters):
        time.sleep(pause)
        took.append(one.frank() * MS)
    return took


def ninety_five(name: str, took: list[float], goal: Goal | None = None) -> Figure:
    """What 95 % of them take at most."""
    detail = f"median {median(took):.0f}, {len(took)} letters"
    return Figure(f"{name}, 95 %", quantiles(took, n=20)[-1], "ms", goal, detail)


@contextmanager
def mailer(link: RadioLink) -> Iterator[Mailer]:
    """As `fob demo --link ble --tour meter` makes one."""
    with tempfile.TemporaryDirectory(prefix="fob-bench-") as folder:
        scratch = Scratch.in_folder(Path(folder))
        with Processes(scratch, link) as processes:
            office = DemoOffice(processes, lambda words: None, METER_OPTIONS)
            configuration = link.configuration(scratch) + office.found_with_centre(*TERMS)
            scratch.write_files(configuration, f'password = "{secrets.token_hex(8)}"\nunlocked = {UNLOCKED}\n')
            processes.make_phone()
            office.make_and_order()
            switch_on_and_pair(processes, lambda words: None)
            office.await_configured()
            processes.fob("meter", "sign-up", "ada", "--origin", "20457")
            processes.fob("meter", "refill", "200")
            yield Mailer(processes, Client(scratch.socket("control")))


if __name__ == "__main__":
    run_bench(__doc__, measure)

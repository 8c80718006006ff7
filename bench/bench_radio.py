"""By Bluetooth on the virtual radio, as three programs: a signature in connection intervals, and a reconnect."""

import time
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import Final

from client import Client
from figures import Figure, at_most, run_bench
from fob_daemon.demo.links import RadioLink
from process_meter import resident_mib
from stages import Stage, our_stage

# Milliseconds: what phones commonly choose.
INTERVAL: Final = 30.0
MS: Final = 1000

SIGNATURES: Final = 200
QUICK_SIGNATURES: Final = 20
RECONNECTS: Final = 10
QUICK_RECONNECTS: Final = 2
PATIENCE: Final = 20.0
POLL: Final = 0.01


def measure(quick: bool) -> Sequence[Figure]:
    """Signatures, then restarts of the phone, then memory."""
    with our_stage(link=RadioLink(INTERVAL, hold=True)) as stage:
        figures = [signature(stage, key, QUICK_SIGNATURES if quick else SIGNATURES) for key in ("P-256", "RSA-2048")]
        figures.append(reconnect(stage, QUICK_RECONNECTS if quick else RECONNECTS))
        figures.append(
            Figure("resident memory of fobd with a Bluetooth stack of its own", resident_mib(stage.daemon_pid()), "MiB")
        )
        return figures


def signature(stage: Stage, key: str, count: int) -> Figure:
    """The time of a signature in a session, in connection intervals; tests count them, this is a clock's word."""
    with Client(stage.environment) as client:
        client.run("sign", 5, key)
        took = median(client.run("sign", count, key)) * MS
    detail = f"{took:.1f} ms at an interval of {INTERVAL:g} ms"
    return Figure(f"{key} signature", took / INTERVAL, "intervals", at_most(2.1), detail)


def reconnect(stage: Stage, count: int) -> Figure:
    """From a phone that is switched on again to the session, on the bond."""
    took = []
    for _ in range(count):
        stage.processes.kill_phone()
        wait_for(stage, is_ready=False)
        stage.processes.start_phone()
        took.append(wait_for(stage, is_ready=True))
    detail = f"{count} times, {min(took):.2f} to {max(took):.2f} s"
    return Figure("from the phone's start to the session, bonded", median(took), "s", at_most(1), detail)


def wait_for(stage: Stage, *, is_ready: bool) -> float:
    """The seconds until there is a session, or none. Raises TimeoutError."""
    began = perf_counter()
    while (stage.status()["devices"][0]["state"] == "ready") is not is_ready:
        if perf_counter() - began > PATIENCE:
            raise TimeoutError("the link does not change")
        time.sleep(POLL)
    return perf_counter() - began


if __name__ == "__main__":
    run_bench(__doc__, measure)

"""Signals and a demo: each ends it in order, through its context managers, and none comes at a bad moment."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def end_by_signals() -> None:
    """A polite kill and a closed terminal end a demo as Ctrl-C does."""
    for number in ENDING:
        signal.signal(number, _end)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals wait: until a program that is being started is known, until everything is cleared away."""
    received: list[int] = []
    earlier = {number: signal.signal(number, lambda number, frame: received.append(number)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    if received:
        signal.raise_signal(received[0])


def _end(number: int, frame: object) -> None:
    # Who is impatient must not break off what clears away; no SIG_IGN, which programs would inherit.
    for each in ENDING:
        signal.signal(each, _wait)
    raise SystemExit(128 + number)


def _wait(number: int, frame: object) -> None:
    """It ends already."""

"""A stream beside a question: it leaves nothing open behind, however it ends, since `fob monitor` begins many."""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fob_daemon.cli.beside import THREAD, StreamBeside
from fob_daemon.control.errors import ControlError
from fob_daemon.control.sse import ServerEvent

SAID = ServerEvent("say", {"text": "hello"})
AWAY = ControlError("the daemon is not reachable", "nobody listens", "fobd")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def until_threads_end() -> None:
    for thread in threading.enumerate():
        if thread.name == THREAD:
            thread.join(5)


@contextmanager
def stream(*events: ServerEvent) -> Iterator[Iterator[ServerEvent]]:
    yield iter(events)


@contextmanager
def no_stream() -> Iterator[Iterator[ServerEvent]]:
    raise AWAY
    yield iter(())


def test_events_come_one_by_one_and_then_the_end() -> None:
    before = open_files()
    with StreamBeside(stream(SAID, SAID)) as beside:
        assert list(beside) == [SAID, SAID]
    until_threads_end()
    assert open_files() == before


def test_who_waits_for_something_else_sees_that_an_event_came() -> None:
    with StreamBeside(stream(SAID)) as beside:
        assert select.select([beside], (), (), 5)[0] == [beside]
        until_threads_end()
        assert list(beside.waiting()) == [SAID, None]


def test_a_daemon_that_is_away_costs_no_open_files_however_often_it_is_tried() -> None:
    before = open_files()
    for _ in range(10):
        with StreamBeside(no_stream()) as beside, pytest.raises(ControlError, match="not reachable"):
            list(beside)
    until_threads_end()
    assert open_files() == before


def test_a_stream_that_goes_on_when_nobody_looks_any_more_ends_by_itself() -> None:
    before, go_on = open_files(), threading.Event()

    @contextmanager
    def late() -> Iterator[Iterator[ServerEvent]]:
        go_on.wait(5)
        yield iter((SAID, SAID))

    with StreamBeside(late()):
        pass
    go_on.set()
    until_threads_end()
    assert open_files() == before

"""The server that processes are forked from is killed while it forks one: that one is started again."""

import asyncio
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from fob_office.centre.supervising.child import Start, begin
from fob_office.centre.supervising.local import LocalProcess, State
from fob_office.settings import LogSettings

TRIES = 3


def to_start(tmp_path: Path) -> Start:
    return Start(tmp_path / "function-1", tmp_path, None, LogSettings())


def test_a_fork_server_that_hangs_up_is_an_error_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_: ForkServerProcess) -> None:
        # As multiprocessing says that it read no number of a process.
        raise EOFError("unexpected EOF")

    monkeypatch.setattr(ForkServerProcess, "start", start)
    with pytest.raises(ConnectionResetError, match="the fork server ended"):
        begin(to_start(tmp_path))


@pytest.mark.clause("M33")
async def test_a_process_is_started_again_when_the_fork_server_died_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, tried = asyncio.get_running_loop(), asyncio.Event()
    starts = 0

    def start(_: ForkServerProcess) -> None:
        nonlocal starts
        starts += 1
        if starts == TRIES:
            loop.call_soon_threadsafe(tried.set)
        raise EOFError("unexpected EOF")

    monkeypatch.setattr(ForkServerProcess, "start", start)
    monkeypatch.setattr("fob_office.centre.supervising.pausing.LONGEST_START_PAUSE", 0.001)
    process = LocalProcess(to_start(tmp_path), lambda: None)
    process.start()
    await asyncio.wait_for(tried.wait(), 10)
    await process.stop()
    assert process.restarts >= TRIES - 1
    assert process.state == State.STOPPED

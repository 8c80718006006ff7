"""What a process does beside its answers: an error of the program there ends the process, with a line of log."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from fob_office.centre.boxes.duties import DutyEndedError, duties


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _fails() -> None:
    raise ValueError("a password, perhaps")


async def _is_over() -> None:
    pass


async def test_what_fails_breaks_off_whatever_its_process_waits_for() -> None:
    with capture_logs() as lines, pytest.raises(DutyEndedError, match="ValueError"):
        async with duties(_for_ever, _fails):
            await _for_ever()
    [line] = lines
    assert (line["log_level"], line["work"], line["error"]) == ("critical", "_fails", "ValueError")
    # Where, and not what stood there.
    assert "test_duties.py" in line["at"]
    assert "password" not in str(lines)
    # Who goes on may wait again.
    await asyncio.sleep(0)


async def test_it_ends_with_its_process_and_what_is_done_is_done() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await _for_ever()
        finally:
            ended.set()

    with capture_logs() as lines:
        async with duties(work, _is_over):
            await asyncio.sleep(0)
    assert ended.is_set()
    assert lines == []


async def test_an_error_of_the_process_itself_stays_what_it_is() -> None:
    with pytest.raises(KeyError, match="mine"):
        async with duties(_for_ever):
            raise KeyError("mine")


async def test_who_is_told_to_end_is_not_told_of_an_error() -> None:
    begun = asyncio.Event()

    async def process() -> None:
        async with duties(_for_ever):
            begun.set()
            await _for_ever()

    task = asyncio.create_task(process())
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()

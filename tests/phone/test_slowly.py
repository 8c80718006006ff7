"""Slow work on the token: one at a time, finished although nobody waits for it any more."""

import asyncio
import gc
import threading
from typing import Any

import pytest

from fob_device.slowly import Slowly


class Work:
    """Runs in a thread until `end` is set."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.end = threading.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> None:
        self._loop.call_soon_threadsafe(self.begun.set)
        self.end.wait(10)
        raise ValueError("it went wrong")


async def cancelled_as_it_runs(slowly: Slowly, work: Work, times: int) -> asyncio.Task[None]:
    """A call that is cancelled so many times, each time as it waits."""
    call = asyncio.create_task(slowly(work))
    await work.begun.wait()
    for _ in range(times):
        call.cancel()
        # A turn in which the cancellation arrives, and one in which it waits again.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return call


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_the_next_waits_for_cancelled_work(times: int) -> None:
    slowly, work = Slowly(), Work()
    call = await cancelled_as_it_runs(slowly, work, times)
    following = asyncio.create_task(slowly(work.end.is_set))
    await asyncio.sleep(0)
    assert not call.done()
    work.end.set()
    assert await following, "it ran beside the work before it"
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_the_loop_reports_no_error_of_cancelled_work() -> None:
    slowly, work = Slowly(), Work()
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reported.append(context))
    call = await cancelled_as_it_runs(slowly, work, 1)
    work.end.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    del call
    gc.collect()
    assert reported == []


async def test_what_work_raises_is_for_whoever_waits() -> None:
    slowly, work = Slowly(), Work()
    work.end.set()
    with pytest.raises(ValueError, match="it went wrong"):
        await slowly(work)
    assert await slowly(lambda: 7) == 7

"""How long a person's command waits: while the device gets on, and 90 s when its office does not answer."""

import asyncio

import pytest

from control.fake_daemon import FakeDaemon
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.office_reports import Progress, Relayed
from fob_daemon.control.patience import STALLED, patiently

BUSY = "it answered 503 Service Unavailable"


class LeapingClock:
    """The loop's time goes by when the test says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        self._real = loop.time
        self._ahead = 0.0
        monkeypatch.setattr(loop, "time", lambda: self._real() + self._ahead)

    async def pass_by(self, seconds: float) -> None:
        self._ahead += seconds
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> LeapingClock:
    return LeapingClock(asyncio.get_running_loop(), monkeypatch)


def relayed(why: str = "", done: int = 0, device: str = "pixel") -> Relayed:
    return Relayed(device, "content", "fetching", done, 9, "not-answered" if why else "answered", why, 0.1)


class Waiter:
    """Somebody configures 'pixel'."""

    def __init__(self, daemon: FakeDaemon, *, goes_on: bool = True) -> None:
        self.done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        work = patiently(daemon, "pixel", "not configured", self.done, "fob office status", goes_on=goes_on)
        self.task = asyncio.create_task(work)


async def test_an_office_that_puts_everybody_off_is_waited_for_so_long(daemon: FakeDaemon, clock: LeapingClock) -> None:
    waiter = Waiter(daemon)
    await clock.pass_by(10 * STALLED)
    daemon.announce(relayed(BUSY))
    await clock.pass_by(STALLED / 2)
    # Asked once more, with as little to show for it.
    daemon.announce(relayed(BUSY))
    await clock.pass_by(STALLED / 2 - 1)
    assert not waiter.task.done()
    await clock.pass_by(2)
    with pytest.raises(ControlError) as caught:
        await waiter.task
    assert caught.value.why == (
        f"for 90 s the office has not answered as one does: {BUSY}; the device goes on by itself"
    )
    assert (caught.value.next_command, caught.value.exit_code) == ("fob office status", ExitCode.TIMEOUT)
    assert (waiter.done.cancelled(), daemon.queues) == (True, [])


async def test_answers_that_the_device_cannot_use_are_asked_for_as_long(
    daemon: FakeDaemon, clock: LeapingClock
) -> None:
    waiter = Waiter(daemon, goes_on=False)
    await clock.pass_by(0)
    for _ in range(3):
        daemon.announce(relayed())
        daemon.announce(Progress("pixel", "fetching", 0, 9))
        await clock.pass_by(STALLED / 2 + 1)
    with pytest.raises(ControlError, match=r"for 90 s the office has not answered as one does$"):
        await waiter.task


async def test_who_gets_on_is_waited_for(daemon: FakeDaemon, clock: LeapingClock) -> None:
    waiter = Waiter(daemon)
    await clock.pass_by(0)
    for done in range(5):
        daemon.announce(Progress("pixel", "fetching", done, 9))
        daemon.announce(relayed(BUSY, done))
        daemon.announce(relayed(BUSY, 8, device="nokia"))
        await clock.pass_by(STALLED - 1)
        daemon.announce(relayed("", done + 1))
        await clock.pass_by(STALLED + 1)
    waiter.done.set_result("configured")
    assert await waiter.task == "configured"


async def test_what_the_work_itself_runs_out_of_is_not_the_offices_fault(daemon: FakeDaemon) -> None:
    waiter = Waiter(daemon)
    waiter.done.set_exception(TimeoutError("of its own"))
    with pytest.raises(TimeoutError, match="of its own"):
        await waiter.task
    assert daemon.queues == []

"""What the screen's desk was told is nowhere to be read while it waits: not by whoever shows a task, or its locals."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from fob_device.metering.desk import MeterDesk
from fob_device.metering.meter import Meter

PASSWORD = "a horse with a stamp"
MASTER_KEY = b"the user's master key"


class Waiting:
    """A meter whose data centre does not answer."""

    async def join(self, *_: object) -> None:
        await asyncio.Event().wait()

    async def about(self, *_: object) -> None:
        await asyncio.Event().wait()


@pytest.mark.clause("M14")
@pytest.mark.parametrize(
    "told",
    [
        lambda desk: desk.sign_up("ann", "eur-cent", 1, ("80331",), PASSWORD, MASTER_KEY),
        lambda desk: desk.sign_on("ann", PASSWORD, MASTER_KEY),
        lambda desk: desk.look(MASTER_KEY),
    ],
    ids=["sign-up", "sign-on", "look"],
)
async def test_a_password_stands_in_no_repr(told: Callable[[MeterDesk], None]) -> None:
    desk = MeterDesk(cast(Meter, Waiting()), lambda: None, lambda: 0.0)
    told(desk)
    task = desk._task
    assert task is not None
    working: Any = task.get_coro()
    shown = repr(task) + repr(desk) + repr(working.cr_frame.f_locals)
    assert (PASSWORD in shown, repr(MASTER_KEY) in shown) == (False, False)
    desk.give_up()
    with pytest.raises(asyncio.CancelledError):
        await task

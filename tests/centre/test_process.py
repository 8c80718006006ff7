"""The process of a box: how it starts, ends, and keeps its memory to itself; what it says once it was tampered with."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from fob_office.centre.boxes.alone import alone_in
from fob_office.centre.boxes.ending import ANEW_SIGNAL, ANEW_STATUS, FAILED_STATUS, TAMPERED_STATUS
from fob_office.centre.boxes.folder import HARDWARE_KEY
from fob_office.centre.boxes.identity import MASTERS
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, Done
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.errors import OperatorError
from support.centre_boxes import Boxes
from support.small_box import Fail, Look, Sign

PROGRAM = Path(__file__).parents[1] / "support" / "small_box.py"


@pytest.fixture
def boxes(tmp_path: Path) -> Boxes:
    # Processes have the true time.
    return Boxes(tmp_path, now=int(time.time()))


async def start(boxes: Boxes, name: str, *more: str) -> asyncio.subprocess.Process:
    """A box that begins."""
    path = boxes.folder / name
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        str(path),
        str(boxes.folder),
        *more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def first_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode()


async def ended(process: asyncio.subprocess.Process) -> int:
    """Its status, when all that it said was read."""
    await process.communicate()
    return await process.wait()


@asynccontextmanager
async def running(boxes: Boxes, name: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A box that answers."""
    process = await start(boxes, name)
    try:
        assert await first_line(process) == f"ready {boxes.address(name)}\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await ended(process)


@asynccontextmanager
async def operator(boxes: Boxes) -> AsyncIterator[Links]:
    """Who asks."""
    links = boxes.open("operator-1").links
    yield links
    links.close()


@pytest.mark.clause("M3")
async def test_one_box_is_killed_and_another_of_its_kind_carries_on(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    boxes.make(Kind.METER, "meter-2")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running(boxes, "meter-1"))
        await stack.enter_async_context(running(boxes, "meter-2"))
        links = await stack.enter_async_context(operator(boxes))
        key = (await links.to("meter-1").ask(Sign("A-1"))).key
        first.kill()
        await ended(first)
        with pytest.raises(AwayError, match="meter-1"):
            await links.to("meter-1").ask(Sign("A-1"))
        assert (await links.to("meter-2").ask(Sign("A-1"))).key == key
        await stack.enter_async_context(running(boxes, "meter-1"))
        assert (await links.to("meter-1").ask(Sign("A-1"))).key == key


@pytest.mark.clause("M3")
async def test_a_box_that_was_tampered_with_says_so_ever_after(boxes: Boxes) -> None:
    folder = boxes.make(Kind.METER, "meter-1").path
    async with running(boxes, "meter-1"), operator(boxes) as links:
        meter = links.to("meter-1")
        assert await meter.ask(Look(MASTERS)) == Done()
        (folder / MASTERS).write_bytes(b"changed")
        commands: list[Command[Any]] = [Look(MASTERS), Look(MASTERS), Sign("A-1")]
        for command in commands:
            with pytest.raises(BusRefusedError, match="tampered: meter-1 found its folder changed"):
                await meter.ask(command)
    assert not (folder / HARDWARE_KEY).exists()
    again = await start(boxes, "meter-1")
    assert await first_line(again) == "tampered\n"
    assert await ended(again) == TAMPERED_STATUS


async def test_a_box_ends_when_it_is_told_to(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    async with running(boxes, "meter-1") as process:
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 0


async def test_a_box_that_is_told_to_start_anew_says_that_it_was(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    async with running(boxes, "meter-1") as process:
        process.send_signal(ANEW_SIGNAL)
        assert await ended(process) == ANEW_STATUS


async def test_no_second_process_works_in_the_same_folder(boxes: Boxes) -> None:
    folder = boxes.make(Kind.METER, "meter-1").path
    async with running(boxes, "meter-1") as process:
        with pytest.raises(OperatorError) as caught, alone_in(folder, patience=0.0):
            pass
        assert caught.value.lines.splitlines() == [
            "error: meter-1 does not start",
            f"why:   another process works in {folder}",
            "try:   fob-office centre status",
        ]
        # Whoever waits has it once that one has ended, however it ended.
        process.kill()
        with alone_in(folder):
            again = await start(boxes, "meter-1")
        assert (await first_line(again)).startswith("ready")
        again.terminate()
        assert await ended(again) == 0
    with pytest.raises(OperatorError, match="meter-7"), alone_in(boxes.folder / "meter-7"):
        pass


async def test_a_box_ends_with_the_process_that_started_it(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    parent = await start(boxes, "meter-1", "in a process of its own")
    assert (await first_line(parent)).startswith("ready")
    parent.kill()
    # The box has the other end: this returns when it is closed.
    assert await ended(parent) == -signal.SIGKILL
    async with operator(boxes) as links:
        with pytest.raises(AwayError):
            await links.to("meter-1").ask(Sign("A-1"))


KEEP_INSIDE = """
import ctypes, resource
from fob_office.centre.boxes.process import keep_inside
keep_inside()
print(ctypes.CDLL(None).prctl(3), *resource.getrlimit(resource.RLIMIT_CORE))
"""


async def test_no_core_is_dumped_and_nobody_looks_into_its_memory() -> None:
    """PR_GET_DUMPABLE (prctl(2)) is 0: then ptrace(2) and /proc/PID/mem are refused to all but root."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KEEP_INSIDE, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out == b"0 0 0\n"


async def test_a_process_ends_with_what_it_should_do_beside_its_answers(boxes: Boxes) -> None:
    boxes.make(Kind.METER, "meter-1")
    async with running(boxes, "meter-1") as process, operator(boxes) as links:
        # It is answered still: what was begun is finished.
        assert await links.to("meter-1").ask(Fail()) == Done()
        assert await ended(process) == FAILED_STATUS

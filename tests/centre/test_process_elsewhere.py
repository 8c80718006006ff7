"""A box on another machine: a process without a supervisor, over TCP, with its folder and a copy of the directory."""

import asyncio
import shutil
import socket
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.directory import FILE, read_entries, write_entries
from fob_office.centre.bus.errors import AwayError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.meter import HeldView
from support.centre_boxes import Boxes
from support.office_process import PROGRAM

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@pytest.mark.clause("M15")
async def test_a_meter_box_answers_from_elsewhere(tmp_path: Path) -> None:
    boxes = Boxes(tmp_path / "here", now=int(time.time()))
    folder = boxes.make(Kind.METER, "meter-1").path
    address = f"tcp:127.0.0.1:{free_port()}"
    entries = read_entries(boxes.folder / FILE)
    write_entries(boxes.folder, [replace(one, address=address) if one.name == "meter-1" else one for one in entries])
    there = tmp_path / "there"
    there.mkdir()
    shutil.copy2(boxes.folder / FILE, there / FILE)
    folder.rename(there / "meter-1")
    command = [*PROGRAM, "centre", "process", "run", str(there / "meter-1"), "--centre", str(there)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    links = boxes.open("operator-1").links
    try:
        assert process.stdout is not None
        assert (await process.stdout.readline()).decode() == f"ready {address}\n"
        held = await links.to("meter-1").ask(HeldView())
        assert (held.view, held.complete) == (None, ())
        process.terminate()
        assert await process.wait() == 0
        with pytest.raises(AwayError):
            await links.to("meter-1").ask(HeldView())
    finally:
        links.close()
        if process.returncode is None:
            process.kill()
            await process.wait()

"""A controller that sends anything but HCI: the phone says so at once, and is on the air when it behaves again."""

import asyncio
import logging
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fob_device.approval.rules import Rules
from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.ble.port import serve_ble
from fob_device.ports.ble.station import static_address
from fob_device.ports.url import PortLostError, PortUrlError, open_port
from fob_device.state import open_phone
from fob_protocol.link.hci_host import HUNG_UP, NO_HCI
from support.babbling_controller import GARBAGE, IN_BUFFERS, BabblingController, babbling_controller
from support.central import central
from support.ready_program import PATIENCE, Program, installed
from support.world import World

pytestmark = pytest.mark.clause("P7")

# Seconds in which nobody waits for a deadline.
SOON = 2.0

DEVICE = installed("fob-device")


@pytest.fixture
async def controller(tmp_path: Path) -> AsyncIterator[BabblingController]:
    async with babbling_controller(tmp_path) as controller:
        yield controller


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path, 1, Rules())
    yield world
    await world.close()


async def served(world: World, folder: Path, opened: asyncio.Event) -> OSError:
    """What serving the controller ends with, soon."""
    with pytest.raises(OSError) as caught:  # noqa: PT011 - looked at by the caller
        async with asyncio.timeout(SOON):
            await serve_ble(f"unix-client:{folder}/hci", PhoneLines(world.phone), opened.set)
    return caught.value


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_from_a_controller_is_told_at_once(
    controller: BabblingController, world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture, garbage: str
) -> None:
    controller.garbage = GARBAGE[garbage]
    opened = asyncio.Event()
    with caplog.at_level(logging.DEBUG):
        error = await served(world, tmp_path, opened)
    assert (error.strerror, error.filename) == (NO_HCI, f"unix-client:{tmp_path}/hci")
    assert not isinstance(error, PortLostError)
    assert not opened.is_set()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_garbage_without_end_fills_no_memory(
    controller: BabblingController, world: World, tmp_path: Path
) -> None:
    controller.garbage, controller.is_endless = GARBAGE["random octets"] * 16, True
    assert (await served(world, tmp_path, asyncio.Event())).strerror == NO_HCI
    await asyncio.sleep(0.1)
    assert controller.octets_sent < IN_BUFFERS


async def test_a_controller_that_hangs_up_at_once_is_told(world: World, tmp_path: Path) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_unix_server(hang_up, tmp_path / "hci"):
        assert (await served(world, tmp_path, asyncio.Event())).strerror == HUNG_UP


async def test_garbage_in_the_middle_of_use_ends_the_port_and_no_more(
    controller: BabblingController, world: World, tmp_path: Path
) -> None:
    opened = asyncio.Event()
    serving = asyncio.create_task(served(world, tmp_path, opened))
    await opened.wait()
    controller.babble(GARBAGE["zeros"])
    error = await serving
    assert isinstance(error, PortLostError)
    assert (error.strerror, error.filename) == (NO_HCI, f"unix-client:{tmp_path}/hci")


async def test_the_phone_tells_its_person_in_three_lines(controller: BabblingController, tmp_path: Path) -> None:
    state, url = tmp_path / "phone", f"ble:unix-client:{tmp_path}/hci"
    make = (DEVICE, "init", f"--state={state}", "--label=Radio phone", "--pins=-")
    await asyncio.to_thread(
        subprocess.run, make, input=b"123456\n12345678\n", check=True, timeout=PATIENCE, capture_output=True
    )
    memory = open_phone(state)
    address = static_address(memory.identity.public)
    memory.close()
    run = (DEVICE, "run", f"--state={state}", f"--port={url}")
    told = [
        f"error: the phone cannot be reached by {url}",
        f"why:   unix-client:{tmp_path}/hci: {NO_HCI}",
        f"try:   ls -l {tmp_path}/hci",
    ]

    controller.garbage = GARBAGE["random octets"]
    done = await asyncio.to_thread(subprocess.run, run, capture_output=True, timeout=PATIENCE, check=False, text=True)
    assert (done.returncode, done.stderr.splitlines()) == (1, told)

    controller.garbage = b""
    phone = await asyncio.to_thread(Program, *run)
    async with controller.air.attach("pc") as transport, central(transport) as pc:
        await pc.connect(address)
        controller.babble(GARBAGE["random octets"])
        await pc.gone()
        hosts = controller.hosts
        # It looks once a second, and is silent about it.
        while controller.hosts < hosts + 2:  # noqa: ASYNC110 - another program
            await asyncio.sleep(0.05)
        controller.garbage = b""
        await pc.connect(address)
    assert await asyncio.to_thread(phone.stop) == 0
    assert phone.words.splitlines() == [
        f"phone 'Radio phone' is on: {url}",
        *told[:2],
        f"{told[2]}    (the phone tries again by itself)",
        f"the phone can be reached by {url} again",
    ]


@pytest.mark.parametrize("name", ["tcp-client:127.0.0.1", "hci-socket:x", "hci-socket:-1", "usb:x"])
def test_a_controller_that_cannot_be_is_refused_before_anything_is_opened(name: str) -> None:
    with pytest.raises(PortUrlError, match=f"'ble:{name}': behind {name.partition(':')[0]}: stands "):
        open_port(f"ble:{name}")

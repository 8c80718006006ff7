"""A controller of the daemon's own that sends what is no HCI: told at once, and used again when it behaves."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fob_daemon.link.ble import scanner
from fob_daemon.link.ble.hci.stack import HciStack
from fob_daemon.link.ble.radio import Radio
from fob_daemon.link.transport import LineUnavailableError
from fob_device.approval.rules import Rules
from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.ble.station import Station
from fob_protocol import catalogue
from fob_protocol.link.hci_host import HUNG_UP, NO_HCI, UNREADABLE_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from support.babbling_controller import GARBAGE, IN_BUFFERS, UNREADABLE, BabblingController, babbling_controller
from support.radio_cable import PC, RadioCable
from support.virtual_loop import run_virtually
from support.world import World

pytestmark = pytest.mark.clause("P7")

INFO = catalogue.GET_TOKEN_INFO.build()
# Seconds in which nobody waits for a deadline.
SOON = 2.0
SCAN = 0.5


@pytest.fixture
async def controller(tmp_path: Path) -> AsyncIterator[BabblingController]:
    async with babbling_controller(tmp_path) as controller:
        yield controller


@pytest.fixture
async def radio(tmp_path: Path, controller: BabblingController) -> AsyncIterator[Radio]:
    radio = Radio(HciStack.at(f"unix-client:{tmp_path}/hci", tmp_path))
    yield radio
    await radio.close()


async def refusal(radio: Radio) -> tuple[str, str]:
    """Why nothing was scanned, and what helps; soon."""
    with pytest.raises(LineUnavailableError) as caught:
        async with asyncio.timeout(SOON):
            await radio.scan(SCAN)
    return caught.value.why, caught.value.remedy


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_is_told_at_once_and_a_controller_that_behaves_is_used(
    controller: BabblingController, radio: Radio, garbage: str, caplog: pytest.LogCaptureFixture
) -> None:
    controller.garbage = GARBAGE[garbage]
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            assert await refusal(radio) == (NO_HCI, "fob doctor")
        controller.garbage = b""
        assert await radio.scan(SCAN) == []
    assert controller.hosts == 3
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_garbage_without_end_fills_no_memory(controller: BabblingController, radio: Radio) -> None:
    controller.garbage, controller.is_endless = GARBAGE["random octets"] * 16, True
    assert await refusal(radio) == (NO_HCI, "fob doctor")
    await asyncio.sleep(0.1)
    assert controller.octets_sent < IN_BUFFERS


async def test_a_controller_that_hangs_up_at_once_is_told(tmp_path: Path) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_unix_server(hang_up, tmp_path / "hci"):
        radio = Radio(HciStack.at(f"unix-client:{tmp_path}/hci", tmp_path))
        assert await refusal(radio) == (HUNG_UP, "fob doctor")
        await radio.close()


async def test_a_scan_that_is_given_up_before_the_controller_answers_logs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr(scanner, "STACK_TIME", 0.1)
    async with await asyncio.start_unix_server(say_nothing, tmp_path / "hci"):
        radio = Radio(HciStack.at(f"unix-client:{tmp_path}/hci", tmp_path))
        scanning = asyncio.create_task(radio.scan(SCAN))
        await asyncio.sleep(0.01)
        scanning.cancel()
        assert await refusal(radio) == ("starting to scan took longer than 0.1 s", "")
        await radio.close()
    gc.collect()
    assert not caplog.records


async def test_garbage_while_it_scans(controller: BabblingController, radio: Radio, tmp_path: Path) -> None:
    world = World(tmp_path, 1, Rules())
    async with controller.air.attach("phone") as transport:
        serving = asyncio.create_task(Station(transport, PhoneLines(world.phone)).serve(lambda: None))
        assert len(await radio.scan(SCAN)) == 1
        scanning = asyncio.create_task(radio.scan(SCAN))
        await asyncio.sleep(SCAN / 2)
        controller.babble(GARBAGE["zeros"])
        # What was heard until then; the next one says why there is no more.
        await scanning
        assert await refusal(radio) == (NO_HCI, "fob doctor")
        controller.garbage = b""
        assert len(await radio.scan(SCAN)) == 1
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    await world.close()


def babble(cable: RadioCable, packets: int) -> None:
    """The daemon's controller sends packets that end too early."""
    sink = cable.air.find(PC).host
    assert sink is not None
    for _ in range(packets):
        sink.on_packet(UNREADABLE)


def test_garbage_under_a_session_costs_the_line_and_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        cable = RadioCable(tmp_path)
        world = await World.paired(tmp_path, 1, cable=cable)
        key = await world.new_key()
        opened = cable.lines_opened
        # One in a row too few, and a good one between them.
        babble(cable, UNREADABLE_LIMIT - 1)
        sign = catalogue.SIGN.build(key, None, bytes(32))
        assert (await world.manager.request(sign, timeout=30)).ckr == Ckr.OK
        babble(cable, UNREADABLE_LIMIT - 1)
        assert cable.lines_opened == opened

        babble(cable, UNREADABLE_LIMIT)
        await world.until(lambda: world.manager.greeting is None)
        # The phone finds out by the supervision timeout.
        await world.until(lambda: world.manager.greeting is not None, 15)
        assert (await world.manager.request(INFO, timeout=30)).ckr == Ckr.OK
        assert cable.lines_opened == opened + 1
        await world.close()

    run_virtually(story())
    assert not caplog.records

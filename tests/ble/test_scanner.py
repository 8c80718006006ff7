"""The one scanner: whom it tells of, whom it does not, and everybody who listens at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from bumble import hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device

from fob_daemon.link.ble.errors import NOT_NEAR
from fob_daemon.link.ble.hci.bonds import Bonds
from fob_daemon.link.ble.hci.host import HciHost
from fob_daemon.link.ble.hci.stack import HciStack
from fob_daemon.link.ble.scanner import NEARBY_LIMIT, SCAN_LIFE, Scanner
from fob_daemon.link.ble.stack import Nearby
from fob_daemon.link.transport import LineUnavailableError
from fob_device.radio.distance import signal_strength
from fob_device.radio.radio import Radio, RadioTransport
from fob_protocol.link.gatt import SERVICE_UUID
from support.virtual_loop import run_virtually

PIXEL = "C0:00:00:00:00:01"
TABLET = "C0:00:00:00:00:02"
LAMP = "C0:00:00:00:00:03"
PC = "pc"


@asynccontextmanager
async def advertiser(air: Radio, name: str, address: str, service: str = SERVICE_UUID) -> AsyncIterator[None]:
    """A device that advertises ten times a second."""
    async with air.attach(name) as transport:
        device = Device.with_hci(name, hci.Address(address), *transport)
        await device.power_on()
        data = AdvertisingData(
            [
                (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(service))),
                (AdvertisingData.COMPLETE_LOCAL_NAME, name.encode()),
            ]
        )
        await device.start_advertising(
            advertising_data=bytes(data), advertising_interval_min=100, advertising_interval_max=100
        )
        yield


@asynccontextmanager
async def listening(air: Radio, folder: Path) -> AsyncIterator[Scanner]:
    """The daemon's scanner."""

    async def attach() -> RadioTransport:
        return air.attach(PC)

    stack = HciStack(HciHost(attach, Bonds(folder / "bluetooth.json")))
    scanner = Scanner(stack)
    try:
        yield scanner
    finally:
        await scanner.close()
        await stack.close()


def is_scanning(air: Radio) -> bool:
    return air.find(PC).le_scan_enable


@pytest.mark.clause("P7")
def test_devices_of_ours_come_with_name_and_signal_the_strongest_first(tmp_path: Path) -> None:
    async def story() -> None:
        air = Radio()
        async with (
            advertiser(air, "Tablet", TABLET),
            advertiser(air, "Pixel", PIXEL),
            advertiser(air, "lamp", LAMP, "0000180f-0000-1000-8000-00805f9b34fb"),
            listening(air, tmp_path) as scanner,
        ):
            air.set_distance(PC, 0)
            air.set_distance("Tablet", 8)
            air.set_distance("Pixel", 0.5)
            assert await scanner.scan(2) == [
                Nearby(PIXEL, "Pixel", signal_strength(0.5)),
                Nearby(TABLET, "Tablet", signal_strength(8)),
            ]
            assert not is_scanning(air)

    run_virtually(story())


def test_a_name_does_not_steer_the_screen(tmp_path: Path) -> None:
    async def story() -> None:
        air = Radio()
        async with advertiser(air, "\x1b[2Jx", PIXEL), listening(air, tmp_path) as scanner:
            [found] = await scanner.scan(1)
            assert found.name == "\N{REPLACEMENT CHARACTER}[2Jx"

    run_virtually(story())


def test_a_crowd_is_bounded(tmp_path: Path) -> None:
    async def story() -> None:
        air = Radio()
        async with AsyncExitStack() as crowd, listening(air, tmp_path) as scanner:
            for number in range(NEARBY_LIMIT + 3):
                await crowd.enter_async_context(advertiser(air, f"{number}", f"C0:00:00:00:01:{number:02X}"))
            assert len(await scanner.scan(2)) == NEARBY_LIMIT

    run_virtually(story())


def test_nothing_near_is_an_empty_list(tmp_path: Path) -> None:
    async def story() -> None:
        async with listening(Radio(), tmp_path) as scanner:
            assert await scanner.scan(1) == []

    run_virtually(story())


def test_a_device_that_is_not_near_is_given_up_in_time(tmp_path: Path) -> None:
    async def story() -> None:
        async with listening(Radio(), tmp_path) as scanner:
            loop = asyncio.get_running_loop()
            began = loop.time()
            with pytest.raises(LineUnavailableError, match=NOT_NEAR):
                await scanner.find(PIXEL, 5)
            assert loop.time() - began == pytest.approx(5, abs=0.1)

    run_virtually(story())


def test_several_listen_at_once_over_one_scan(tmp_path: Path) -> None:
    async def story() -> None:
        air = Radio()
        async with (
            advertiser(air, "Pixel", PIXEL),
            advertiser(air, "Tablet", TABLET),
            listening(air, tmp_path) as scanner,
        ):
            looking = asyncio.create_task(scanner.scan(2))
            one, other = await asyncio.gather(scanner.find(PIXEL, 5), scanner.find(TABLET, 5))
            assert (one.address, other.address) == (PIXEL, TABLET)
            assert is_scanning(air)
            assert len(await looking) == 2
            assert not is_scanning(air)

    run_virtually(story())


def test_nobody_scans_while_one_connects(tmp_path: Path) -> None:
    async def story() -> None:
        air = Radio()
        async with advertiser(air, "Pixel", PIXEL), listening(air, tmp_path) as scanner:
            looking = asyncio.create_task(scanner.scan(3))
            await asyncio.sleep(0.01)
            assert is_scanning(air)
            async with scanner.paused():
                assert not is_scanning(air)
                await asyncio.sleep(1)
            assert is_scanning(air)
            assert len(await looking) == 1

    run_virtually(story())


def test_whoever_gives_up_listening_ends_the_scan(tmp_path: Path) -> None:
    async def story() -> None:
        air = Radio()
        async with listening(air, tmp_path) as scanner:
            looking = asyncio.create_task(scanner.find(PIXEL, 60))
            await asyncio.sleep(1)
            assert is_scanning(air)
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            assert not is_scanning(air)

    run_virtually(story())


def test_a_scan_that_outlived_its_controller_is_started_again(tmp_path: Path) -> None:
    async def story() -> None:
        air = Radio()
        async with advertiser(air, "Pixel", PIXEL), listening(air, tmp_path) as scanner:
            # Somebody listens all the time, for a device that is away.
            looking = asyncio.create_task(scanner.find(TABLET, 120))
            await asyncio.sleep(1)
            # Its process is killed, or it is unplugged.
            controller = air.find(PC)
            air.detach(controller)
            controller.terminated.set_result(None)
            await asyncio.sleep(SCAN_LIFE)
            assert (await scanner.find(PIXEL, 10)).address == PIXEL
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    run_virtually(story())

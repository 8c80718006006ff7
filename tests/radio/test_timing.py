"""The radio's time: what crosses when, and what it costs in connection events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bumble import hci

from fob_device.radio.counters import Counters
from fob_device.radio.radio import Radio
from support.central import Central, central
from support.echo_peripheral import ADDRESS, echo_peripheral
from support.virtual_loop import run_virtually

INTERVAL = 0.03


@asynccontextmanager
async def connected(radio: Radio, *, mtu: int = 517) -> AsyncIterator[Central]:
    """A central that is subscribed to an echo."""
    async with (
        echo_peripheral(radio.attach("phone")),
        central(radio.attach("pc")) as pc,
    ):
        await pc.connect(ADDRESS, mtu=mtu)
        await pc.subscribe()
        yield pc


async def round_trip(pc: Central, size: int) -> None:
    """One value there and back."""
    value = bytes(size - 1) + b"!"
    await pc.send(value)
    assert await pc.receive_until(b"!") == value


def cost(before: Counters, radio: Radio) -> tuple[int, int]:
    """Events used towards the peripheral and towards the central."""
    crossed = radio.counters - before
    return crossed.to_peripheral.events, crossed.to_central.events


@pytest.mark.parametrize("size", [1, 244, 512])
def test_a_question_and_its_answer_take_two_intervals(size: int) -> None:
    async def conversation() -> None:
        radio = Radio(interval=INTERVAL)
        async with connected(radio) as pc:
            loop = asyncio.get_running_loop()
            for _ in range(10):
                before, begin = radio.counters.copy(), loop.time()
                await round_trip(pc, size)
                assert cost(before, radio) == (1, 1)
                # It was asked just after an event, so it waits for the next one.
                assert loop.time() - begin == pytest.approx(2 * INTERVAL)

    run_virtually(conversation())


def test_an_event_carries_four_packets_and_the_fifth_waits() -> None:
    async def conversation() -> None:
        radio = Radio(interval=INTERVAL)
        async with connected(radio, mtu=247) as pc:
            for values, events in ((4, 1), (5, 2), (8, 2), (9, 3)):
                before = radio.counters.copy()
                for _ in range(values):
                    await pc.send(bytes(243) + b"!")
                for _ in range(values):
                    await pc.receive_until(b"!")
                assert cost(before, radio) == (events, events)

    run_virtually(conversation())


def test_the_interval_is_the_radios_and_both_hosts_are_told() -> None:
    async def conversation() -> None:
        radio = Radio(interval=0.0075)
        async with echo_peripheral(radio.attach("phone")) as phone, central(radio.attach("pc")) as pc:
            await pc.connect(ADDRESS)
            [other_side] = phone.connections.values()
            for connection in (pc.connection, other_side):
                assert connection.parameters.connection_interval == 7.5
                assert connection.parameters.supervision_timeout == 720

    run_virtually(conversation())


def test_packets_and_octets_are_counted_for_each_device() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with connected(radio) as pc, central(radio.attach("other"), "C0:00:00:00:00:02"):
            before = radio.counters_of("phone").copy()
            await round_trip(pc, 512)
            crossed = radio.counters_of("phone") - before
            # 512 octets, 3 of ATT and 4 of L2CAP are three packets of at most 251.
            assert (crossed.to_peripheral.packets, crossed.to_peripheral.octets) == (3, 519)
            assert crossed.to_central == crossed.to_peripheral
            assert radio.counters_of(pc.address) == radio.counters_of("pc") == radio.counters_of("phone")
            assert radio.counters_of("other") == Counters()
            with pytest.raises(KeyError):
                radio.counters_of("nobody")

    run_virtually(conversation())


def test_nothing_happens_while_a_connection_is_idle() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with connected(radio) as pc:
            before = radio.counters.copy()
            await asyncio.sleep(3600)
            assert cost(before, radio) == (0, 0)
            await round_trip(pc, 1)

    run_virtually(conversation())


def test_a_command_that_is_not_emulated_is_answered() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")), central(radio.attach("pc")) as pc:
            await pc.connect(ADDRESS)
            unknown = hci.HCI_Read_Remote_Version_Information_Command(connection_handle=pc.connection.handle)
            with pytest.raises(hci.HCI_Error) as error:
                await pc.device.send_async_command(unknown)
            assert error.value.error_code == hci.HCI_ErrorCode.UNKNOWN_HCI_COMMAND_ERROR

    run_virtually(conversation())


def test_a_host_that_begins_anew_has_no_connections() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")) as phone, central(radio.attach("pc")) as pc:
            await pc.connect(ADDRESS)
            await pc.device.send_sync_command(hci.HCI_Reset_Command())
            await asyncio.sleep(1)
            # The other side has found out by its supervision timeout.
            assert phone.connections == {}

    run_virtually(conversation())


def test_an_interval_is_a_whole_number_of_the_standards_units() -> None:
    async def conversation() -> None:
        for asked, given in ((0.0075, 0.0075), (0.03, 0.03), (0.0333, 0.03375), (0.2001, 0.2), (4.0, 4.0)):
            assert Radio(interval=asked).interval == pytest.approx(given)

    run_virtually(conversation())


@pytest.mark.parametrize("interval", [0.0, 0.007, 4.1, float("nan"), float("inf")])
def test_an_interval_that_the_standard_does_not_know(interval: float) -> None:
    with pytest.raises(ValueError, match="a connection interval has"):
        Radio(interval=interval)

"""What a bad radio does: packets that are lost and come again, and devices that walk away."""

import asyncio

import pytest
from bumble import hci
from bumble.device import Connection

from fob_device.radio.counters import Counters
from fob_device.radio.distance import RANGE
from fob_device.radio.radio import SETTINGS_LIMIT, Radio
from support.central import central
from support.echo_peripheral import ADDRESS, ADVERTISING_DATA, echo_peripheral
from support.virtual_loop import run_virtually

TRIPS = 100


async def trips(loss: float, seed: int) -> Counters:
    """A hundred questions, one after the other, over a connection that loses packets; what they cost."""
    radio = Radio(seed=seed)
    async with echo_peripheral(radio.attach("phone")), central(radio.attach("pc")) as pc:
        await pc.connect(ADDRESS)
        await pc.subscribe()
        radio.set_loss("phone", loss)
        before = radio.counters.copy()
        for number in range(TRIPS):
            await pc.send(b"%d;" % number)
            assert await pc.receive_until(b";") == b"%d;" % number
        return radio.counters - before


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.5])
def test_a_lost_packet_costs_one_more_event_and_nothing_is_missing(loss: float) -> None:
    crossed = run_virtually(trips(loss, seed=3))
    for direction in (crossed.to_peripheral, crossed.to_central):
        assert direction.packets == TRIPS
        assert direction.events == TRIPS + direction.lost
        assert (direction.lost == 0) == (loss == 0)


def test_the_seed_says_which_packets_are_lost() -> None:
    first, again, other = (run_virtually(trips(0.3, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_loss_is_a_probability_and_never_everything() -> None:
    async def conversation() -> None:
        with pytest.raises(ValueError, match="out of range"):
            Radio(loss=1.0)
        with pytest.raises(ValueError, match="out of range"):
            Radio().set_loss("phone", -0.1)

    run_virtually(conversation())


def test_settings_are_bounded() -> None:
    async def conversation() -> None:
        radio = Radio()
        for number in range(SETTINGS_LIMIT):
            radio.set_distance(f"device {number}", number)
        radio.set_distance("device 0", 1)
        with pytest.raises(ValueError, match="256 devices were set already"):
            radio.set_distance("one more", 1)

    run_virtually(conversation())


def test_signal_strength_tells_the_distance() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")), central(radio.attach("pc")) as pc:
            heard = {}
            for metres in (0.5, 9.5, RANGE - 0.5):
                radio.set_distance(ADDRESS, metres)
                heard[metres] = (await pc.scan(ADDRESS)).rssi
            assert heard == {0.5: -59, 9.5: -84, RANGE - 0.5: -96}

    run_virtually(conversation())


def test_a_scan_response_is_asked_for_and_merged() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")), central(radio.attach("pc")) as pc:
            advertisement = await pc.scan(ADDRESS)
            assert bytes(advertisement.data) == ADVERTISING_DATA + bytes.fromhex("05096563686f")

    run_virtually(conversation())


def test_out_of_range_nobody_is_found_nor_connected_to() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")), central(radio.attach("pc")) as pc:
            radio.set_distance("phone", RANGE)
            with pytest.raises(TimeoutError):
                await pc.scan(ADDRESS)
            with pytest.raises(TimeoutError):
                await pc.connect(ADDRESS, within=5)
            radio.set_distance("phone", 1)
            await pc.connect(ADDRESS)

    run_virtually(conversation())


def test_a_connection_out_of_range_dies_by_its_supervision_timeout_on_both_sides() -> None:
    async def conversation() -> None:
        loop = asyncio.get_running_loop()
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")) as phone, central(radio.attach("pc")) as pc:
            await pc.connect(ADDRESS, supervision=2000)
            left = loop.time()
            radio.set_distance("phone", 100)
            await asyncio.sleep(1.99)
            assert pc.is_connected
            await pc.gone()
            assert loop.time() - left == pytest.approx(2.0)
            assert phone.connections == {}

    run_virtually(conversation())


def test_what_was_sent_out_of_range_arrives_when_it_was_short() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")), central(radio.attach("pc")) as pc:
            await pc.connect(ADDRESS, supervision=2000)
            await pc.subscribe()
            radio.set_distance("pc", 100)
            await pc.send(b"hello;")
            await asyncio.sleep(1.9)
            assert pc.received == b""
            radio.set_distance("pc", 1)
            assert await pc.receive_until(b";") == b"hello;"
            await asyncio.sleep(3600)
            assert pc.is_connected

    run_virtually(conversation())


def test_hanging_up_out_of_range_ends_with_the_supervision_timeout() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")) as phone, central(radio.attach("pc")) as pc:
            await pc.connect(ADDRESS)
            radio.set_distance("phone", 100)
            await pc.disconnect()
            assert phone.connections == {}

    run_virtually(conversation())


def test_a_device_that_vanishes_is_missed_and_may_come_back() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with central(radio.attach("pc")) as pc:
            async with echo_peripheral(radio.attach("phone")):
                await pc.connect(ADDRESS)
            assert pc.is_connected
            await pc.gone()
            async with echo_peripheral(radio.attach("phone")):
                await pc.connect(ADDRESS)
                await pc.disconnect()
                assert [device.name for device in radio.devices] == ["pc", "phone"]

    run_virtually(conversation())


def test_a_central_that_vanished_is_no_obstacle_once_it_was_missed() -> None:
    async def conversation() -> None:
        radio = Radio()
        async with echo_peripheral(radio.attach("phone")) as phone:
            async with central(radio.attach("pc")) as pc:
                await pc.connect(ADDRESS)
            assert len(phone.connections) == 1
            await asyncio.sleep(0.72)
            assert phone.connections == {}
            async with central(radio.attach("pc")) as pc:
                await pc.connect(ADDRESS)

    run_virtually(conversation())


def test_a_request_to_connect_that_is_lost_fails_after_six_intervals() -> None:
    async def conversation() -> None:
        radio = Radio(interval=0.03, seed=2)
        async with echo_peripheral(radio.attach("phone")) as phone, central(radio.attach("pc")) as pc:
            radio.set_loss("phone", 0.9)
            connection = await pc.device.connect_le(hci.Address(ADDRESS))
            reasons: list[int] = []
            connection.on(Connection.EVENT_DISCONNECTION, reasons.append)
            await asyncio.sleep(0.17)
            assert phone.connections == {}
            assert reasons == []
            await asyncio.sleep(0.02)
            assert reasons == [hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR]

    run_virtually(conversation())

"""Other times for a connection that there is: at which event they count, who is told, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bumble import hci
from bumble.device import Connection, Device

from fob_device.radio.ends import EVENTS_TO_INSTANT
from fob_device.radio.radio import Radio
from fob_protocol.link.times import Times
from support.central import Central, central
from support.echo_peripheral import ADDRESS, echo_peripheral
from support.virtual_loop import run_virtually

INTERVAL = 0.03
QUICK = Times(interval=12, latency=0, timeout=42)
DISALLOWED = hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR


class Pair:
    """A stranger's computer that is subscribed to an echo; when the host of either was told of other times."""

    def __init__(self, radio: Radio, pc: Central, phone: Device) -> None:
        self.radio = radio
        self.pc = pc
        [self.peripheral] = phone.connections.values()
        self.told: list[float] = []
        self.ends: list[int] = []
        for connection in (pc.connection, self.peripheral):
            connection.on(Connection.EVENT_CONNECTION_PARAMETERS_UPDATE, lambda: self.told.append(now()))
            connection.on(Connection.EVENT_DISCONNECTION, self.ends.append)

    async def update(self, times: Times, *, least: int | None = None, handle: int | None = None) -> None:
        """The computer's host asks its controller. Raises HCI_Error."""
        await self.pc.device.send_async_command(
            command(self.pc.connection.handle if handle is None else handle, times, least)
        )

    async def round_trip(self) -> float:
        """Its seconds."""
        began = now()
        await self.pc.send(b"hello!")
        assert await self.pc.receive_until(b"!") == b"hello!"
        return now() - began

    @property
    def parameters(self) -> list[tuple[float, int, float]]:
        """As each host knows them, in milliseconds and events."""
        told = [connection.parameters for connection in (self.pc.connection, self.peripheral)]
        return [(one.connection_interval, one.peripheral_latency, one.supervision_timeout) for one in told]


def command(handle: int, times: Times, least: int | None = None) -> hci.HCI_LE_Connection_Update_Command:
    return hci.HCI_LE_Connection_Update_Command(
        connection_handle=handle,
        connection_interval_min=times.interval if least is None else least,
        connection_interval_max=times.interval,
        max_latency=times.latency,
        supervision_timeout=times.timeout,
        min_ce_length=0,
        max_ce_length=0,
    )


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def connected(radio: Radio) -> AsyncIterator[Pair]:
    async with echo_peripheral(radio.attach("phone")) as phone, central(radio.attach("pc")) as pc:
        await pc.connect(ADDRESS)
        await pc.subscribe()
        pair = Pair(radio, pc, phone)
        # It is a moment after an event.
        await pair.round_trip()
        yield pair


@pytest.mark.parametrize("times", [QUICK, Times(interval=80, latency=2, timeout=400)])
def test_both_hosts_are_told_at_the_instant_and_the_next_events_come_at_the_new_interval(times: Times) -> None:
    async def conversation() -> None:
        async with connected(Radio(interval=INTERVAL)) as pair:
            began, before = now(), pair.radio.counters.copy()
            await pair.update(times)
            assert pair.told == []
            await asyncio.sleep((1 + EVENTS_TO_INSTANT) * INTERVAL - 0.001)
            assert pair.told == []
            assert pair.parameters == 2 * [(30.0, 0, 720.0)]
            await asyncio.sleep(0.002)
            # One event to say so, and six in which the other side may hear it.
            assert pair.told == 2 * [pytest.approx(began + (1 + EVENTS_TO_INSTANT) * INTERVAL)]
            assert pair.parameters == 2 * [(1.25 * times.interval, times.latency, 10.0 * times.timeout)]
            crossed = pair.radio.counters - before
            assert (crossed.to_peripheral.packets, crossed.to_peripheral.octets) == (1, 0)
            assert crossed.to_central.packets == 0
            await pair.round_trip()
            assert await pair.round_trip() == pytest.approx(2 * times.seconds)
            await asyncio.sleep(3600)
            assert pair.ends == []

    run_virtually(conversation())


def test_what_crosses_until_the_instant_crosses_at_the_old_interval() -> None:
    async def conversation() -> None:
        async with connected(Radio(interval=INTERVAL)) as pair:
            await pair.update(QUICK)
            took = [await pair.round_trip() for _ in range(5)]
            # Three of them end before the seventh event; the fourth is asked for in that and answered after it.
            assert took[:3] == 3 * [pytest.approx(2 * INTERVAL)]
            assert took[3] == pytest.approx(INTERVAL + QUICK.seconds)
            assert took[4] == pytest.approx(2 * QUICK.seconds)

    run_virtually(conversation())


def test_of_the_intervals_that_a_host_likes_the_longest_is_taken() -> None:
    async def conversation() -> None:
        async with connected(Radio()) as pair:
            await pair.update(QUICK, least=6)
            await asyncio.sleep(1)
            assert pair.parameters == 2 * [(15.0, 0, 420.0)]

    run_virtually(conversation())


def test_the_new_supervision_timeout_counts() -> None:
    async def conversation() -> None:
        async with connected(Radio()) as pair:
            await pair.update(Times(interval=24, latency=0, timeout=200))
            await asyncio.sleep(1)
            left = now()
            pair.radio.set_distance("phone", 100)
            await pair.pc.gone()
            assert now() - left == pytest.approx(2.0)

    run_virtually(conversation())


def test_one_that_is_lost_on_the_way_is_sent_again_and_the_instant_stays() -> None:
    async def conversation() -> None:
        async with connected(Radio(interval=INTERVAL, seed=2)) as pair:
            began, before = now(), pair.radio.counters.copy()
            pair.radio.set_loss("phone", 0.5)
            await pair.update(QUICK)
            await asyncio.sleep(1)
            assert (pair.radio.counters - before).to_peripheral.lost > 0
            assert pair.told == 2 * [pytest.approx(began + (1 + EVENTS_TO_INSTANT) * INTERVAL)]

    run_virtually(conversation())


def test_one_that_is_heard_of_too_late_ends_the_connection() -> None:
    async def conversation() -> None:
        async with connected(Radio(interval=INTERVAL)) as pair:
            pair.radio.set_loss("phone", 0.999999)
            await pair.update(QUICK)
            await asyncio.sleep((EVENTS_TO_INSTANT + 2) * INTERVAL)
            pair.radio.set_loss("phone", 0.0)
            await pair.pc.gone()
            assert pair.ends == 2 * [hci.HCI_ErrorCode.INSTANT_PASSED_ERROR]
            assert pair.told == []

    run_virtually(conversation())


def test_the_instant_comes_also_while_neither_hears_the_other() -> None:
    async def conversation() -> None:
        async with connected(Radio(interval=INTERVAL)) as pair:
            await pair.update(QUICK)
            await asyncio.sleep(1.5 * INTERVAL)
            pair.radio.set_distance("phone", 100)
            await asyncio.sleep(EVENTS_TO_INSTANT * INTERVAL)
            assert len(pair.told) == 2
            pair.radio.set_distance("phone", 1)
            await pair.round_trip()
            assert await pair.round_trip() == pytest.approx(2 * QUICK.seconds)

    run_virtually(conversation())


@pytest.mark.parametrize(
    ("times", "least"),
    [
        (Times(interval=5, latency=0, timeout=42), None),
        (Times(interval=3201, latency=0, timeout=3200), None),
        (Times(interval=12, latency=500, timeout=3200), None),
        (Times(interval=12, latency=0, timeout=9), None),
        (Times(interval=12, latency=0, timeout=3201), None),
        # Twice the interval, with the events that are left out, is as long as the timeout.
        (Times(interval=40, latency=0, timeout=10), None),
        (Times(interval=12, latency=13, timeout=42), None),
        (Times(interval=12, latency=0, timeout=42), 5),
        (Times(interval=12, latency=0, timeout=42), 13),
    ],
)
def test_what_the_standard_does_not_allow_is_refused_and_the_connection_stays(times: Times, least: int | None) -> None:
    async def conversation() -> None:
        async with connected(Radio(interval=INTERVAL)) as pair:
            with pytest.raises(hci.HCI_Error) as caught:
                await pair.update(times, least=least)
            assert caught.value.error_code == hci.HCI_ErrorCode.INVALID_COMMAND_PARAMETERS_ERROR
            await asyncio.sleep(1)
            assert pair.told == []
            assert await pair.round_trip() <= 2 * INTERVAL + 1e-6

    run_virtually(conversation())


def test_who_is_no_central_who_has_no_connection_and_who_asks_twice_at_once_is_refused() -> None:
    async def conversation() -> None:
        async with connected(Radio(interval=INTERVAL)) as pair:
            with pytest.raises(hci.HCI_Error) as caught:
                await pair.update(QUICK, handle=0xEFF)
            assert caught.value.error_code == hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
            with pytest.raises(hci.HCI_Error) as caught:
                await pair.peripheral.device.send_async_command(command(pair.peripheral.handle, QUICK))
            assert caught.value.error_code == DISALLOWED
            await pair.update(QUICK)
            with pytest.raises(hci.HCI_Error) as caught:
                await pair.update(Times(interval=24, latency=0, timeout=42))
            assert caught.value.error_code == DISALLOWED
            await asyncio.sleep(1)
            assert pair.parameters == 2 * [(15.0, 0, 420.0)]
            await pair.update(Times(interval=24, latency=0, timeout=42))
            await asyncio.sleep(1)
            assert pair.parameters == 2 * [(30.0, 0, 420.0)]

    run_virtually(conversation())


def test_a_radio_that_holds_its_interval_refuses_every_other_one() -> None:
    async def conversation() -> None:
        async with connected(Radio(interval=INTERVAL, hold=True)) as pair:
            with pytest.raises(hci.HCI_Error) as caught:
                await pair.update(QUICK)
            assert caught.value.error_code == hci.HCI_ErrorCode.UNSUPPORTED_FEATURE_OR_PARAMETER_VALUE_ERROR
            assert await pair.round_trip() == pytest.approx(2 * INTERVAL)

    run_virtually(conversation())

"""The line that the phone's port on the air carries (protocol, section 8)."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from bumble import att

from fob_device.ports.ble import outgoing
from fob_protocol import catalogue
from support.ble_scene import Scene, Tell, refusal
from support.ble_world import NAME, OK, ask, greet, on_the_air, pair_over, session_over

pytestmark = pytest.mark.clause("P7")


@pytest.mark.parametrize("mtu", [23, 185, 247, 517])
def test_a_line_at_every_mtu(tell: Tell, mtu: int) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await pc.connect(scene.address, mtu=mtu)
            await pc.bond()
            await pc.subscribe()
            await pc.send(b"ATE0\r")
            await pc.receive_until(OK)
            pc.values.clear()
            await pc.send(b"AT+CLAC\r")
            answer = await pc.receive_until(OK)
            assert answer.startswith(b"\r\nAT,+FOBOPEN,")
            assert b"".join(pc.values) == answer
            # Every value is as full as it may be, but the last.
            assert {len(value) for value in pc.values[:-1]} <= {min(mtu - 3, 495)}
            assert len(pc.values) == -(-len(answer) // min(mtu - 3, 495))
            # Frames of the pairing are longer than the small ones and go in pieces, both ways.
            await pair_over(pc)

    tell(story)


def test_an_mtu_above_the_offer_is_cut_and_a_value_never_has_more_than_512(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await pc.connect(scene.address, mtu=600)
            assert pc.connection.att_mtu == 517
            await pc.bond()
            await pc.subscribe()
            await pc.send(b"ATE0\r")
            await pc.receive_until(OK)
            too_long = b"x" * 511 + b"\rAT\r"
            code = await refusal(pc.write(pc.handle("to device"), too_long[:513]))
            assert code == att.ATT_INVALID_ATTRIBUTE_LENGTH_ERROR
            assert len(pc.received) == 0
            await pc.send(b" " * 510 + b"AT")
            await pc.send(b"\r")
            assert await pc.receive_until(OK) == b"\r\nOK\r\n"

    tell(story)


def test_a_command_and_its_answer_cost_one_event_each_way(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await pc.bond()
            await pc.subscribe()
            for _ in range(5):
                before = scene.radio.counters_of(NAME).copy()
                assert await greet(pc) == b"AT\r\r\nOK\r\n"
                crossed = scene.radio.counters_of(NAME) - before
                assert (crossed.to_peripheral.events, crossed.to_central.events) == (1, 1)

    tell(story)


def test_a_line_begins_and_ends_with_the_subscription(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await pc.bond()
            await pc.send(b"AT\r")
            configuration = pc.handle("configuration")
            assert await pc.read(configuration) == b"\0\0"
            await pc.subscribe()
            assert await pc.read(configuration) == b"\1\0"
            # What was written before went nowhere.
            await pc.send(b"ATE0\r")
            assert await pc.receive_until(OK) == b"ATE0\r\r\nOK\r\n"
            await pc.subscribe()
            await pc.send(b"AT\r")
            assert await pc.receive_until(OK) == b"\r\nOK\r\n"
            await pc.write(configuration, b"\0\0")
            await pc.send(b"AT\r")
            await pc.subscribe()
            # A new line: the echo is on again.
            assert await greet(pc) == b"AT\r\r\nOK\r\n"

    tell(story)


def test_each_connection_is_a_line_of_its_own(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with (
            on_the_air(scene.handset.phone, scene.radio),
            scene.computer(1) as first,
            scene.computer(2) as second,
        ):
            for pc in (first, second):
                await scene.bonded_line(pc)
            await first.send(b"ATE0\r")
            await first.receive_until(OK)
            assert await greet(second) == b"AT\r\r\nOK\r\n"
            assert await greet(first) == b"\r\nOK\r\n"

    tell(story)


def test_a_request_of_a_session_costs_one_event_each_way_too(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), scene.computer() as pc:
            await scene.bonded_line(pc)
            session = await session_over(pc)
            for _ in range(5):
                before = scene.radio.counters_of(NAME).copy()
                await ask(session, catalogue.GENERATE_RANDOM.build(64))
                crossed = scene.radio.counters_of(NAME) - before
                assert (crossed.to_peripheral.events, crossed.to_central.events) == (1, 1)

    tell(story)


def test_a_computer_that_does_not_take_its_answers_is_disconnected(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "UNSENT_LIMIT", 100)

    async def story(scene: Scene) -> None:
        async with scene.phone_and_computer() as pc:
            await pc.bond()
            await pc.subscribe()
            assert await greet(pc)
            await pc.send(b"AT+CLAC\r")
            await pc.gone()

    tell(story)


def test_a_computer_that_walks_away_blocks_no_other_ones_line(tell: Tell) -> None:
    async def story(scene: Scene) -> None:
        async with (
            on_the_air(scene.handset.phone, scene.radio),
            scene.computer(1) as first,
            scene.computer(2) as second,
        ):
            await first.connect(scene.address, mtu=247, supervision=5000)
            await first.bond()
            await first.subscribe()
            await scene.bonded_line(second)
            for _ in range(4):
                await first.send(20 * b"AT+CLAC\r")
            # The commands have arrived, the answers are on their way.
            await asyncio.sleep(0.031)
            scene.radio.set_distance("pc 1", 100)
            assert await greet(second) == b"AT\r\r\nOK\r\n"
            assert first.is_connected
            await first.gone()

    tell(story)


def test_what_the_stack_has_no_room_for_counts_as_unsent(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "UNSENT_LIMIT", 3000)

    async def story(scene: Scene) -> None:
        async with on_the_air(scene.handset.phone, scene.radio), AsyncExitStack() as stack:
            computers = [await stack.enter_async_context(scene.computer(number)) for number in range(1, 5)]
            for pc in computers:
                await pc.connect(scene.address, mtu=247, supervision=5000)
                await pc.bond()
                await pc.subscribe()
            *away, last = computers
            for pc in away:
                await pc.send(b"AT+CLAC\rAT+CLAC\r")
            await asyncio.sleep(0.031)
            for number in range(1, 4):
                scene.radio.set_distance(f"pc {number}", 100)
            # The controller's eight buffers are full of what nobody takes.
            for _ in range(10):
                await last.send(b"AT+CLAC\r")
            await last.gone()
            assert away[0].is_connected

    tell(story)

"""Many programs at once at a phone whose person is not there yet: one question, and each is served once."""

import asyncio
from pathlib import Path

import pytest

from fob_device.screen.sheets import ApprovalSheet
from fob_device.settings import Ask, KeySetting
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer
from fob_protocol.limits import OUTSTANDING_LIMIT, PARKED_LIMIT, POLL_SHARE
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.medium import MakeMedium
from support.memory_line import SerialCable
from support.noise import Noise, Tap
from support.screen_world import ScreenWorld, at_screen
from support.world import counted_signatures

pytestmark = pytest.mark.clause("P7")

CLIENTS = 50
NEVER = KeySetting(Ask.NEVER)
AT_9600 = 960.0


def digest(client: int) -> bytes:
    """What a client wants signed."""
    return client.to_bytes(2, "big") * 16


def begin(world: ScreenWorld, key: int, clients: range, within: float = 100) -> "list[asyncio.Task[Answer]]":
    """So many clients want a signature at the same time."""
    return [world.begin_to_ask(catalogue.SIGN, key, None, digest(client), within=within) for client in clients]


async def all_signed(clients: "list[asyncio.Task[Answer]]") -> None:
    """Each has an answer of its own."""
    answers = await asyncio.gather(*clients)
    assert {answer.ckr for answer in answers} == {Ckr.OK}
    assert len({answer.lines for answer in answers}) == len(clients)


async def crowd_on_sheet(world: ScreenWorld, count: int) -> ApprovalSheet:
    """The one question there is, when all of them ask it."""
    sheet = await world.sheet(ApprovalSheet)
    await world.until(lambda: sheet.count == count)
    assert list(world.person.sheets) == [sheet]
    return sheet


async def served_at_once(world: ScreenWorld, silent: int, within: float) -> None:
    """What needs nobody is answered, one after the other: reads, and a key that never asks."""
    for spec, values in (
        (catalogue.GRANTS, ()),
        (catalogue.FIND_OBJECTS, (world.phone.token.generation,)),
        (catalogue.GENERATE_RANDOM, (8,)),
        (catalogue.SIGN, (silent, None, digest(CLIENTS * CLIENTS))),
    ):
        async with asyncio.timeout(within):
            assert (await world.ask(spec, *values)).ckr == Ckr.OK


def test_fifty_clients_at_a_locked_phone(tmp_path: Path, make_medium: MakeMedium) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        world.person.lock.lock()
        with counted_signatures() as signed:
            clients = begin(world, key, range(CLIENTS))
            await world.until(lambda: world.person.lock.waiting == CLIENTS)
            assert world.person.lock.waiting_words == "50 requests from me@pc wait"
            assert (await world.ask(catalogue.GRANTS)).ckr == Ckr.OK
            await world.unlock()
            sheet = await crowd_on_sheet(world, CLIENTS)
            assert sheet.words == "sign with 'work' for me@pc, 50 times"
            assert not signed
            await world.tap()
            await all_signed(clients)
        assert signed == {digest(client): 1 for client in range(CLIENTS)}

    at_screen(tmp_path, story, make_medium)


def test_beside_fifty_that_wait_others_are_served(tmp_path: Path, make_medium: MakeMedium) -> None:
    async def story(world: ScreenWorld) -> None:
        key, silent = await world.new_key(b"work"), await world.new_key(b"silent")
        world.phone.set_key_setting(silent, NEVER)
        clients = begin(world, key, range(CLIENTS))
        await crowd_on_sheet(world, CLIENTS)
        await served_at_once(world, silent, 1.0)
        assert not any(client.done() for client in clients)
        await world.tap()
        await all_signed(clients)

    at_screen(tmp_path, story, make_medium)


def test_of_more_than_may_wait_the_rest_is_asked_about_when_these_are_served(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        with counted_signatures() as signed:
            clients = begin(world, key, range(PARKED_LIMIT + 44))
            first = await crowd_on_sheet(world, PARKED_LIMIT)
            # What needs nobody passes them, however much of it there is.
            reads = [world.ask(catalogue.GRANTS, within=1) for _ in range(2 * OUTSTANDING_LIMIT)]
            assert {answer.ckr for answer in await asyncio.gather(*reads)} == {Ckr.OK}
            assert await world.tap() is first
            await world.until(lambda: first not in list(world.person.sheets) and len(world.person.sheets) > 0)
            await crowd_on_sheet(world, 44)
            await world.tap()
            await all_signed(clients)
        assert signed == {digest(client): 1 for client in range(PARKED_LIMIT + 44)}

    at_screen(tmp_path, story)


def test_who_waits_too_long_at_the_pc_hears_why(tmp_path: Path) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        clients = begin(world, key, range(PARKED_LIMIT))
        await crowd_on_sheet(world, PARKED_LIMIT)
        with pytest.raises(CkrError) as caught:
            await begin(world, key, range(1), within=5)[0]
        assert caught.value.ckr == Ckr.FUNCTION_CANCELED
        assert caught.value.reason == "no answer within 5 s: 256 requests wait for the person on the device"
        await world.tap()
        await all_signed(clients)

    at_screen(tmp_path, story)


def test_a_broken_link_loses_none_of_those_that_wait_and_doubles_none(tmp_path: Path, make_medium: MakeMedium) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        with counted_signatures() as signed:
            clients = begin(world, key, range(PARKED_LIMIT))
            sheet = await crowd_on_sheet(world, PARKED_LIMIT)
            await world.reconnect()
            # All have been recalled, and nobody is withdrawn for not having been.
            await asyncio.sleep(10)
            assert await crowd_on_sheet(world, PARKED_LIMIT) is sheet
            await world.tap()
            await all_signed(clients)
        assert signed == {digest(client): 1 for client in range(PARKED_LIMIT)}

    at_screen(tmp_path, story, make_medium)


def test_when_all_give_up_the_question_goes_and_nothing_is_signed(tmp_path: Path, make_medium: MakeMedium) -> None:
    async def story(world: ScreenWorld) -> None:
        key = await world.new_key(b"work")
        with counted_signatures() as signed:
            clients = begin(world, key, range(PARKED_LIMIT))
            await crowd_on_sheet(world, PARKED_LIMIT)
            for client in clients:
                client.cancel()
            await world.until(lambda: len(world.person.sheets) == 0)
            assert (await world.ask(catalogue.GRANTS)).ckr == Ckr.OK
        assert not signed

    at_screen(tmp_path, story, make_medium)


def test_a_slow_line_stays_usable_while_two_hundred_wait(tmp_path: Path) -> None:
    cable = SerialCable(Noise(), 9600)
    written = [0, 0]

    def count(way: int, octets: bytes) -> None:
        written[way] += len(octets)

    async def story(world: ScreenWorld) -> None:
        key, silent = await world.new_key(b"work"), await world.new_key(b"silent")
        world.phone.set_key_setting(silent, NEVER)
        cable.taps.append(Tap(lambda octets: count(0, octets), lambda octets: count(1, octets)))
        with counted_signatures() as signed:
            clients = begin(world, key, range(200))
            await crowd_on_sheet(world, 200)
            # Until the PC has heard of all questions.
            await asyncio.sleep(25)
            before = tuple(written)
            await asyncio.sleep(5)
            assert max(after - ago for after, ago in zip(written, before, strict=True)) <= 5 * POLL_SHARE * AT_9600 + 50
            await served_at_once(world, silent, 0.5)
            await world.tap()
            await all_signed(clients)
        assert set(signed.values()) == {1}
        assert len(signed) == 201
        assert world.manager.connects == 1

    at_screen(tmp_path, story, lambda folder: cable)

"""C_WaitForSlotEvent: the phone goes and comes, another one is paired, one is unpaired."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cryptoki.desk import SLOT, Client, Desk, until
from fob_daemon.cryptoki.application import FobApplication
from fob_daemon.device.slot import Slot, open_slot
from fob_device.approval.rules import Rules
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.flags import SlotFlag
from support.loopback_link import LoopbackLink
from support.token_bench import Bench, refused

SECOND = SLOT + 1


@pytest.fixture
async def second(tmp_path: Path) -> AsyncIterator[Slot]:
    """The slot of another phone, which was never here."""
    folder = tmp_path / "second"
    folder.mkdir()
    bench = Bench(folder / "token.db")
    slot = open_slot(SECOND, "second", LoopbackLink(bench.token, Rules()))
    yield slot
    await slot.close()
    bench.token.close()


def link_of(slot: Slot) -> LoopbackLink:
    """The phone's end."""
    assert isinstance(slot.remote.link, LoopbackLink)
    return slot.remote.link


async def begin_to_wait(application: FobApplication) -> "asyncio.Future[int]":
    """A blocked call."""
    waiting = asyncio.ensure_future(application.wait_for_slot_event(block=True))
    await asyncio.sleep(0)
    assert not waiting.done()
    return waiting


async def hears_nothing(application: FobApplication) -> None:
    """CKF_DONT_BLOCK says so."""
    with refused(Ckr.NO_EVENT):
        await application.wait_for_slot_event(block=False)


async def test_a_waiting_program_hears_that_the_phone_went_and_came(desk: Desk, client: Client) -> None:
    application = client.application
    await hears_nothing(application)
    for change in (desk.link.disconnect, desk.link.connect):
        waiting = await begin_to_wait(application)
        change()
        assert await waiting == SLOT
        await hears_nothing(application)


async def test_an_event_waits_for_the_program(desk: Desk, client: Client) -> None:
    desk.link.disconnect()
    assert await client.application.wait_for_slot_event(block=False) == SLOT
    await hears_nothing(client.application)
    await hears_nothing(desk.client().application)


async def test_a_new_link_session_of_a_phone_that_never_went_is_no_event(desk: Desk, client: Client) -> None:
    desk.link.connect()
    await hears_nothing(client.application)


async def test_a_phone_that_is_paired_later_wakes_everyone_who_waits(desk: Desk, second: Slot) -> None:
    programs = [desk.client().application for _ in range(2)]
    waiting = [await begin_to_wait(program) for program in programs]
    desk.engine.add_slot(second)
    assert await asyncio.gather(*waiting) == [SECOND, SECOND]
    assert programs[0].get_slot_list(False) == [SLOT, SECOND]
    await hears_nothing(desk.client().application)


async def test_its_coming_and_its_token_are_events_too(desk: Desk, client: Client, second: Slot) -> None:
    """A program that lists tokens at the first two events finds none yet; the third comes when it is there."""
    application = client.application
    desk.engine.add_slot(second)
    assert await application.wait_for_slot_event(block=False) == SECOND
    waiting = await begin_to_wait(application)
    link_of(second).connect()
    assert SlotFlag.TOKEN_PRESENT not in application.get_slot_info(SECOND).flags
    assert await waiting == SECOND
    assert await application.wait_for_slot_event(block=True) == SECOND
    assert application.get_slot_list(True) == [SLOT, SECOND]
    await second.idle()
    await hears_nothing(application)


async def test_a_phone_that_is_unpaired_is_an_event_of_the_slot_that_it_had(desk: Desk, client: Client) -> None:
    waiting = await begin_to_wait(client.application)
    desk.engine.remove_slot(SLOT)
    assert await waiting == SLOT
    with refused(Ckr.SLOT_ID_INVALID):
        client.application.get_slot_info(SLOT)
    desk.link.disconnect()
    await hears_nothing(client.application)


async def test_pairing_again_is_an_event(desk: Desk, client: Client) -> None:
    """The sessions of before are closed, so the program has to look again."""
    waiting = await begin_to_wait(client.application)
    desk.engine.remove_slot(SLOT)
    desk.engine.add_slot(desk.slot)
    assert await waiting == SLOT
    await hears_nothing(client.application)


async def test_the_end_of_the_program_ends_its_waiting(desk: Desk, client: Client, second: Slot) -> None:
    waiting = await begin_to_wait(client.application)
    client.application.close()
    with refused(Ckr.CRYPTOKI_NOT_INITIALIZED):
        await waiting
    desk.engine.add_slot(second)


async def test_nobody_hears_the_same_event_twice(desk: Desk, client: Client) -> None:
    """Two threads of one program wait: one of them is told."""
    first, other = await begin_to_wait(client.application), await begin_to_wait(client.application)
    desk.link.disconnect()
    await until(lambda: first.done() or other.done())
    assert [first.done(), other.done()].count(True) == 1
    client.application.close()
    with refused(Ckr.CRYPTOKI_NOT_INITIALIZED):
        await (other if first.done() else first)

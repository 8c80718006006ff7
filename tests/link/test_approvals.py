"""Several requests at once, one of which waits for the phone's person: nobody else waits, and no time is too long."""

import asyncio
from pathlib import Path

import pytest

from fob_device.approval.rules import Rule, Rules
from fob_protocol import catalogue
from fob_protocol.at.answer import single
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.medium import Medium
from support.virtual_loop import run_virtually
from support.world import World, counted_signatures

pytestmark = pytest.mark.clause("P7", "P9")

# Longer than whatever counts silence: the retries, the time to call the link lost, the keep-alive.
THINKING = 35.0
RULES = Rules(approvals=(Rule(key="asked", after=THINKING), Rule(key="denied", answer="deny", after=THINKING)))
PATIENT, QUICK = bytes(32), bytes([1]) * 32


async def sign(world: World, handle: int, digest: bytes, timeout: float = 60) -> float:  # noqa: ASYNC109 - the link's
    """One signature; the seconds it took. Raises CkrError."""
    began = asyncio.get_running_loop().time()
    answer = await world.manager.request(catalogue.SIGN.build(handle, None, digest), timeout=timeout)
    (signature,) = single(answer, bytes)
    assert isinstance(signature, bytes)
    assert len(signature) == 64
    return asyncio.get_running_loop().time() - began


async def thinking(folder: Path, medium: Medium, label: bytes = b"asked") -> tuple[World, int, int]:
    """A world, a key about which the person thinks, and one that may be used without asking."""
    world = await World.paired(folder, 1, RULES, medium)
    return world, await world.new_key(label), await world.new_key(b"silent")


def test_who_waits_for_the_person_holds_nobody_up(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world, asked, silent = await thinking(tmp_path, medium)
        counters = world.manager.counters
        before = counters.round_trips
        with counted_signatures() as signed:
            patient = asyncio.create_task(sign(world, asked, PATIENT))
            await asyncio.sleep(1)
            for _ in range(5):
                assert await sign(world, silent, QUICK) <= medium.trips(1)[1]
            assert not patient.done()
            assert THINKING < await patient <= THINKING + medium.trips(1)[1]
        assert signed == {PATIENT: 1, QUICK: 5}
        assert (counters.round_trips - before, world.manager.connects) == (6, 1)
        await world.close()

    run_virtually(story())


def test_a_connection_that_breaks_meanwhile_is_made_again_and_the_answer_comes(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world, asked, silent = await thinking(tmp_path, medium)
        with counted_signatures() as signed:
            patient = asyncio.create_task(sign(world, asked, PATIENT))
            for _ in range(3):
                await asyncio.sleep(5)
                await world.reconnect()
            await world.login()
            await sign(world, silent, QUICK)
            assert THINKING < await patient <= THINKING + medium.trips(1)[1]
        assert (signed[PATIENT], world.manager.connects) == (1, 4)
        await world.close()

    run_virtually(story())


def test_a_no_is_told_to_the_one_that_asked(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world, denied, silent = await thinking(tmp_path, medium, b"denied")
        with counted_signatures() as signed:
            refused = asyncio.create_task(sign(world, denied, PATIENT))
            await sign(world, silent, QUICK)
            with pytest.raises(CkrError) as caught:
                await refused
        assert caught.value.ckr is Ckr.FUNCTION_REJECTED
        assert signed == {QUICK: 1}
        await world.close()

    run_virtually(story())


def test_who_gives_up_waiting_takes_the_question_back(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world, asked, _ = await thinking(tmp_path, medium)
        with counted_signatures() as signed:
            with pytest.raises(CkrError) as caught:
                await sign(world, asked, PATIENT, timeout=30)
            await asyncio.sleep(2 * THINKING)
        assert (caught.value.ckr, signed[PATIENT]) == (Ckr.FUNCTION_CANCELED, 0)
        await world.close()

    run_virtually(story())

"""An office that is busy says when it wants to be asked again (Retry-After): nobody else's turn is held for so long."""

import asyncio
from pathlib import Path

import pytest

from device_office.registrant import configured
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.progress import Told
from fob_device.office.talker import TURN_PAUSE
from fob_protocol.office.configuration import Purpose
from support.device_bench import DeviceBench, on_bench


def later(seconds: int) -> NotCarriedError:
    return NotCarriedError(NotCarried.NOT_ANSWERED, seconds)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.clause("C13")
def test_what_the_device_wants_by_itself_waits_for_as_long_and_holds_no_turn(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.post.failures = [later(3600)]
        await asyncio.sleep(3599)
        assert (bench.post.carried, bench.back_office.talker.is_busy) == (1, False)
        await bench.at_rest()
        assert now() <= 3600 * 1.25 + 1

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("C19")
def test_a_person_waits_for_what_is_soon(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        begun = now()
        bench.post.failures = [later(int(TURN_PAUSE))]
        await bench.back_office.configure(Purpose.LOOK)
        assert TURN_PAUSE <= now() - begun <= TURN_PAUSE * 1.25

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("C19")
def test_a_person_hears_at_once_of_what_is_not(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        begun, carried = now(), bench.post.carried
        bench.post.failures = [later(int(TURN_PAUSE) + 1)]
        with pytest.raises(NotCarriedError):
            await bench.back_office.configure(Purpose.LOOK)
        assert (now() - begun, bench.post.carried - carried) == (0, 1)
        # Whoever asks next asks the office.
        await bench.back_office.configure(Purpose.LOOK)
        assert now() == begun

    on_bench(tmp_path, story, configured())


@pytest.mark.clause("C19")
def test_a_wish_that_was_withdrawn_keeps_nobody_waiting(tmp_path: Path) -> None:
    """The device was asking when its person gave up, and hears then that the office is busy."""

    async def story(bench: DeviceBench) -> None:
        await bench.at_rest()
        carry, asked, begun = bench.post.carry, asyncio.Event(), now()

        async def slowly(service: str, question: bytes, told: Told) -> bytes:
            asked.set()
            await asyncio.sleep(5)
            return await carry(service, question, told)

        bench.post.carry = slowly  # type: ignore[method-assign]  # each question takes so long
        bench.post.failures = [later(86_400)]
        wish = bench.background(bench.back_office.configure(Purpose.AGAIN))
        await asked.wait()
        wish.cancel()
        assert (await bench.back_office.template("bank")).server == "bank"
        # The question that was under way, and that of the template: which servers there are was asked just now.
        assert now() - begun == pytest.approx(10)

    on_bench(tmp_path, story, configured())

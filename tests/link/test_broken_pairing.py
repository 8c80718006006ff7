"""A device that goes away in the middle of a pairing: the question is withdrawn and the pairing ends at once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cryptoki.desk import Thinker
from fob_daemon.link.begin import RefusedError
from fob_daemon.link.data_line import HungUpError
from fob_daemon.link.pair import STEP_TRIES
from fob_device.line.phone_lines import PhoneLines
from fob_protocol.limits import PAIRING_RETRY, PAIRING_TIME, RETRY_AFTER
from fob_protocol.link.frames import LEAVE, Frame, Kind, Reason
from fob_protocol.pairing.pc import PairedDevice
from support.medium import Medium
from support.memory_line import Cable, SerialCable
from support.noise import Noise
from support.virtual_loop import run_virtually
from support.world import World

# The next sign of life that is asked for, and the device's answer or the lack of it.
NEXT_SIGN = PAIRING_RETRY + 0.2
SILENCE = PAIRING_RETRY + STEP_TRIES * (RETRY_AFTER + 0.15)


@dataclass
class Person:
    """Says yes after `seconds`, None: never."""

    seconds: float | None = None
    is_asked: bool = False
    was_withdrawn: bool = False

    async def answer(self) -> bool:
        self.is_asked = True
        try:
            await (asyncio.Event().wait() if self.seconds is None else asyncio.sleep(self.seconds))
        except asyncio.CancelledError:
            self.was_withdrawn = True
            raise
        return True


class Holder(Thinker):
    """Holds the phone, and compares there as a person does."""

    def __init__(self, person: Person) -> None:
        super().__init__()
        self._person = person

    async def compare(self, code: str) -> bool:
        return await self._person.answer()


def switch_off(world: World) -> None:
    world.cable.switch_off()


def restart_program(world: World) -> None:
    world.cable.restart(PhoneLines(world.phone))


def write_leave(world: World) -> None:
    world.cable.say_to_device(LEAVE.to_bytes())


def fall_silent(world: World) -> None:
    world.noise.silence = True


Break = Callable[[World], None]

# What happens to the phone, what is said of it, and how long it may take to be noticed.
BREAKS: list[tuple[Break, type[Exception], str, float]] = [
    (switch_off, ConnectionError, "the line ended", 0.0),
    (write_leave, ConnectionError, "the device hung up", 0.1),
    (restart_program, ConnectionError, "the device hung up", NEXT_SIGN),
    (fall_silent, TimeoutError, "the device fell silent", SILENCE),
]


async def broken(world: World, at_pc: Person, at_phone: Person, break_it: Break) -> tuple[BaseException, float]:
    """How a pairing ends whose phone is lost while a person compares, and after how many seconds."""

    async def compare(code: str, device: PairedDevice) -> bool:
        return await at_pc.answer()

    world.phone.decider = Holder(at_phone)
    pairing = asyncio.create_task(world.pair(compare))
    await world.until(lambda: at_pc.is_asked and at_phone.is_asked)
    # Persons take their time.
    await asyncio.sleep(20)
    assert not pairing.done()
    began = asyncio.get_running_loop().time()
    break_it(world)
    (ended,) = await asyncio.gather(pairing, return_exceptions=True)
    assert isinstance(ended, BaseException)
    return ended, asyncio.get_running_loop().time() - began


@pytest.mark.clause("P7")
@pytest.mark.parametrize(("break_it", "kind", "words", "seconds"), BREAKS)
@pytest.mark.parametrize("first", [None, 5.0], ids=["while the PC's person compares", "when only the phone's does"])
def test_a_phone_that_is_lost_ends_the_pairing(
    tmp_path: Path,
    medium: Medium,
    first: float | None,
    break_it: Break,
    kind: type[Exception],
    words: str,
    seconds: float,
) -> None:
    async def story() -> None:
        world = World(tmp_path, 1, Thinker(), medium)
        at_pc, at_phone = Person(first), Person()
        ended, after = await broken(world, at_pc, at_phone, break_it)
        assert (type(ended), str(ended)) in ((kind, words), (HungUpError, words))
        # A radio that lost the other side says so when its supervision time is over.
        assert after <= (seconds if isinstance(medium, Cable) else max(seconds, NEXT_SIGN, SILENCE))
        assert at_pc.was_withdrawn == (first is None)
        world.noise.silence = False
        await world.close()

    run_virtually(story())


@pytest.mark.clause("P7")
def test_what_the_phone_refuses_while_the_person_compares_withdraws_the_question(
    tmp_path: Path, medium: Medium
) -> None:
    async def story() -> None:
        world = World(tmp_path, 1, Thinker(), medium)
        at_pc = Person()
        refuse = Frame(Kind.REFUSE, (Reason.OUT_OF_TIME,)).to_bytes()
        ended, after = await broken(world, at_pc, Person(), lambda world: medium.say_to_pc(refuse))
        assert (type(ended), str(ended), after) == (RefusedError, "the pairing took too long", 0.0)
        assert at_pc.was_withdrawn
        await world.close()

    run_virtually(story())


@pytest.mark.parametrize("baud", [1_200, 9_600, 115_200])
def test_persons_may_think_as_long_as_they_like_over_a_slow_and_noisy_line(tmp_path: Path, baud: int) -> None:
    async def story() -> None:
        cable = SerialCable(Noise(0.001), baud)
        world = World(tmp_path, 1, Holder(Person(PAIRING_TIME - 20)), cable)

        async def compare(code: str, device: PairedDevice) -> bool:
            return await Person(PAIRING_TIME - 40).answer()

        device = await world.pair(compare)
        assert (device.key, len(world.phone.pairings)) == (world.phone.identity.public, 1)
        assert cable.noise.faults > 0
        await world.close()

    run_virtually(story())


def test_nobody_answers(tmp_path: Path, medium: Medium) -> None:
    async def story() -> None:
        world = World(tmp_path, 1, Holder(Person()), medium)
        began = asyncio.get_running_loop().time()
        # By radio the phone counts from the bond on, and is the first to end it.
        with pytest.raises((TimeoutError, RefusedError, ConnectionError)):
            await world.pair()
        assert asyncio.get_running_loop().time() - began == pytest.approx(PAIRING_TIME, abs=NEXT_SIGN)
        await world.close()

    run_virtually(story())

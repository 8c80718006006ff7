"""Somebody between PC and phone pairs with both: the codes differ, the two people say no, and nothing is left of it."""

import asyncio
from pathlib import Path

import pytest

from cryptoki.desk import Thinker
from fob_daemon.link.begin import RefusedError
from fob_device.approval.rules import Rules
from fob_protocol.link.frames import Reason
from fob_protocol.pairing.pc import PairedDevice
from support.medium import MakeMedium, Medium
from support.virtual_loop import run_virtually
from support.world import World

pytestmark = pytest.mark.clause("P14")


class Owner(Thinker):
    """Holds the phone beside the PC's screen, and says yes when both show the same code."""

    def __init__(self) -> None:
        super().__init__()
        self.on_screen: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.on_phone: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def compare(self, code: str) -> bool:
        """The phone shows a code."""
        self.on_phone.set_result(code)
        return await self.are_equal()

    async def compare_on_screen(self, code: str, device: PairedDevice) -> bool:
        """The PC shows one."""
        self.on_screen.set_result(code)
        return await self.are_equal()

    async def are_equal(self) -> bool:
        return await self.on_screen == await self.on_phone


class Middle:
    """The PC reaches a phone of the attacker's, and a PC of the attacker's reaches the owner's phone."""

    def __init__(self, folder: Path, make_medium: MakeMedium) -> None:
        self.owner = Owner()
        self.near, self.far = (make_medium(self._made(folder / name)) for name in ("near", "far"))
        # Each of these worlds has an honest end and one of the attacker's, who says yes to everything.
        self.pc = World(folder / "near", 1, Rules(), self.near)
        self.phone = World(folder / "far", 2, self.owner, self.far)

    async def pair_both(self) -> tuple[RefusedError, RefusedError]:
        """How the PC and the attacker fail."""
        refusals = await asyncio.gather(
            self.pc.pair(self.owner.compare_on_screen), self.phone.pair(), return_exceptions=True
        )
        # Connections end, and bonds with them.
        await asyncio.sleep(1)
        at_pc, at_phone = refusals
        assert isinstance(at_pc, RefusedError)
        assert isinstance(at_phone, RefusedError)
        return at_pc, at_phone

    async def close(self) -> None:
        await self.pc.close()
        await self.phone.close()

    @staticmethod
    def _made(folder: Path) -> Path:
        folder.mkdir()
        return folder


async def nothing_is_left(world: World, medium: Medium) -> bool:
    phone = world.phone
    return (len(phone.pairings), phone.bonds.all(), await medium.is_bonded()) == (0, [], False)


def test_the_codes_differ_and_nothing_is_paired(tmp_path: Path, make_medium: MakeMedium) -> None:
    async def story() -> None:
        middle = Middle(tmp_path, make_medium)
        at_pc, at_phone = await middle.pair_both()
        assert middle.owner.on_screen.result() != middle.owner.on_phone.result()
        assert str(at_pc) == "the codes were not equal"
        assert at_phone.reason is Reason.PERSON_SAID_NO
        assert await nothing_is_left(middle.phone, middle.far)
        assert await nothing_is_left(middle.pc, middle.near)
        await middle.close()

    run_virtually(story())


def test_the_phone_s_owner_alone_keeps_the_attacker_out(tmp_path: Path, make_medium: MakeMedium) -> None:
    async def story() -> None:
        middle = Middle(tmp_path, make_medium)

        async def careless(code: str, device: PairedDevice) -> bool:
            await middle.owner.compare_on_screen(code, device)
            return True

        pairing = asyncio.create_task(middle.phone.pair())
        await middle.pc.pair(careless)
        with pytest.raises(RefusedError):
            await pairing
        await asyncio.sleep(1)
        assert await nothing_is_left(middle.phone, middle.far)
        await middle.close()

    run_virtually(story())


def test_without_the_attacker_the_same_two_pair(tmp_path: Path, make_medium: MakeMedium) -> None:
    async def story() -> None:
        middle = Middle(tmp_path, make_medium)
        await middle.pair_both()
        middle.phone.phone.decider = middle.owner = Owner()
        device = await middle.phone.pair(middle.owner.compare_on_screen)
        assert device.key == middle.phone.phone.identity.public
        assert len(middle.phone.phone.pairings) == 1
        await middle.close()

    run_virtually(story())

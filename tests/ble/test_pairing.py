"""Pairing by radio, as the daemon's desk does it: the bond underneath lives and dies with it."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import pytest
from bumble.pairing import PairingConfig, PairingDelegate

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.device.pairing import OPEN_FIRST, PairingDesk
from fob_daemon.device.registry import PairedDeviceEntry, Registry
from fob_daemon.link.ble.errors import BOND_REFUSED, NOT_NEAR
from fob_daemon.link.ble.hci import bonds_file
from fob_daemon.link.ble.hci.bonds_file import BondsFile
from fob_daemon.link.ble.hci.pairing import pairing_config
from fob_daemon.link.ble.hci.stack import HciStack
from fob_daemon.link.ble.radio import Radio
from fob_daemon.link.lines import Lines
from fob_daemon.link.transport import LineUnavailableError, LineUrl, LineUrlError
from fob_device.approval.rules import Rules
from fob_protocol.noise.keys import KeyPair
from support.radio_cable import RadioCable
from support.virtual_loop import run_virtually
from support.world import World

Compare = Callable[[str, str, str], Awaitable[bool]]

LOOK = "Look at your phone: confirm the same code there ..."


async def yes(code: str, device: str, serial: str) -> bool:
    return True


async def no(code: str, device: str, serial: str) -> bool:
    return False


async def never(code: str, device: str, serial: str) -> bool:
    await asyncio.Event().wait()
    return False


class SaysNo(Rules):
    """Holds pairing open, and finds that the codes differ."""

    async def compare(self, code: str) -> bool:
        return False


@dataclass
class Mind:
    """What the phone's person wants."""

    is_open: bool = True
    finds_equal: bool = True


@dataclass(frozen=True)
class ChangesMind(Rules):
    """A person whose mind changes."""

    mind: Mind = field(default_factory=Mind)

    @property
    def pairing_open(self) -> bool:
        return self.mind.is_open

    async def compare(self, code: str) -> bool:
        return self.mind.finds_equal


class OneBondStack(HciStack):
    """As BlueZ: an old bond has to be deleted first, and nothing brings it back."""

    @property
    def forgets_first(self) -> bool:
        return True


class Desk:
    """A desk whose radio reaches a phone that nobody is paired with: `async with Desk(tmp_path) as desk`."""

    def __init__(self, folder: Path, rules: Rules | None = None) -> None:
        self.cable = RadioCable(folder)
        self.registry = Registry.load(folder / "devices.json")
        self.said: list[str] = []
        self._rules = rules or Rules()
        self._folder = folder

    async def __aenter__(self) -> "Desk":
        self.world = World(self._folder, 1, self._rules, self.cable)
        identity = KeyPair.generate(self.world.random.randbytes)
        self.lines = Lines(lambda: self.cable.radio)
        self._desk = PairingDesk(identity, self.registry, "me@pc", self.lines)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.world.close()
        await self.lines.close()

    async def pair(self, compare: Compare = yes) -> PairedDeviceEntry:
        return await self._desk.pair(self.cable.url, None, compare, self.said.append)

    async def until_asked(self, pairing: "asyncio.Task[PairedDeviceEntry]") -> None:
        """The person is about to compare."""
        await asyncio.sleep(5)
        assert not pairing.done()

    async def link_stands(self) -> bool:
        """Whether the phone lets this computer in by the bond that both have."""
        try:
            line = await self.lines.open(self.cable.url, lambda octets: None)
        except LineUnavailableError:
            return False
        line.close()
        return True

    async def refusal(self, compare: Compare = yes) -> ControlError:
        with pytest.raises(ControlError) as caught:
            await self.pair(compare)
        # The connection ends, and the bond with it, on both sides.
        await asyncio.sleep(1)
        return caught.value

    async def bonds(self) -> tuple[bool, bool]:
        """Whether this computer has one, whether the phone has one."""
        here = await self.cable.radio._stack.is_bonded(self.cable.url.path)
        return here, bool(self.world.phone.bonds.all())


@pytest.mark.clause("P7", "P14")
def test_pairing_leaves_a_bond_on_both_sides(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            entry = await desk.pair()
            assert entry.urls == (desk.cable.url.text,)
            assert await desk.bonds() == (True, True)
            line = await desk.lines.open(desk.cable.url, lambda octets: None)
            line.close()

    run_virtually(story())


@pytest.mark.clause("P7", "P14")
def test_codes_that_are_not_equal_leave_no_bond(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            error = await desk.refusal(no)
            assert (error.why, error.exit_code) == ("the codes were not equal", ExitCode.REJECTED)
            assert await desk.bonds() == (False, False)

    run_virtually(story())


@pytest.mark.clause("P7", "P14")
def test_a_phone_whose_person_says_no_leaves_no_bond(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path, SaysNo()) as desk:
            error = await desk.refusal()
            assert (error.what, error.exit_code) == ("not paired", ExitCode.REJECTED)
            assert await desk.bonds() == (False, False)

    run_virtually(story())


@pytest.mark.clause("P7", "P14")
def test_a_phone_that_does_not_pair_now_is_not_bonded_with(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path, Rules(pairing="refuse")) as desk:
            error = await desk.refusal()
            assert (error.what, error.why, error.exit_code) == ("not paired", BOND_REFUSED, ExitCode.REJECTED)
            assert error.next_command == OPEN_FIRST + f"fob pair {desk.cable.url.text}"
            assert await desk.bonds() == (False, False)

    run_virtually(story())


@pytest.mark.clause("P7")
def test_ctrl_c_while_comparing_leaves_no_bond(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            pairing = asyncio.create_task(desk.pair(never))
            await asyncio.sleep(5)
            assert (await desk.bonds())[0]
            pairing.cancel()
            await asyncio.gather(pairing, return_exceptions=True)
            await asyncio.sleep(1)
            assert await desk.bonds() == (False, False)

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_phone_that_is_not_near_keeps_its_bond(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            await desk.pair()
            desk.cable.unplug()
            await asyncio.sleep(10)
            error = await desk.refusal()
            assert (error.why, error.exit_code) == (NOT_NEAR, ExitCode.NO_DEVICE)
            assert await desk.bonds() == (True, True)

    run_virtually(story())


@pytest.mark.clause("P7")
def test_pairing_again_replaces_the_bond_and_keeps_the_name(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            first = await desk.pair()
            second = await desk.pair()
            assert (second.name, second.slot, second.key) == (first.name, first.slot, first.key)
            assert await desk.bonds() == (True, True)
            assert len(desk.world.phone.bonds.all()) == 1

    run_virtually(story())


# Pairs again in vain; what the person is told.
Undo = Callable[[Desk, Mind], Awaitable[str]]


async def refused_by_the_phone(desk: Desk, mind: Mind) -> str:
    mind.finds_equal = False
    return (await desk.refusal()).why


async def refused_here(desk: Desk, mind: Mind) -> str:
    return (await desk.refusal(no)).why


async def closed_on_the_phone(desk: Desk, mind: Mind) -> str:
    mind.is_open = False
    return (await desk.refusal()).why


async def stopped(desk: Desk, mind: Mind) -> str:
    pairing = asyncio.create_task(desk.pair(never))
    await desk.until_asked(pairing)
    pairing.cancel()
    await asyncio.gather(pairing, return_exceptions=True)
    await asyncio.sleep(1)
    return ""


async def phone_restarted(desk: Desk, mind: Mind) -> str:
    pairing = asyncio.create_task(desk.refusal(never))
    await asyncio.sleep(5)
    desk.world.restart_phone()
    why = (await pairing).why
    await asyncio.sleep(1)
    return why


UNDONE = {
    "no on the phone": (refused_by_the_phone, "the device's person said no"),
    "no here": (refused_here, "the codes were not equal"),
    "closed": (closed_on_the_phone, BOND_REFUSED),
    "ctrl-c": (stopped, ""),
    "phone killed": (phone_restarted, "the pairing was broken off: the line ended"),
}


@pytest.mark.clause("P7")
@pytest.mark.parametrize(("undo", "why"), UNDONE.values(), ids=UNDONE)
def test_pairing_again_that_comes_to_nothing_leaves_the_bond_as_it_was(tmp_path: Path, undo: Undo, why: str) -> None:
    async def story() -> None:
        mind = Mind()
        async with Desk(tmp_path, ChangesMind(mind=mind)) as desk:
            await desk.pair()
            here, there = desk.cable.bonds.read_bytes(), desk.world.phone.bonds.all()
            desk.said.clear()
            assert await undo(desk, mind) == why
            assert (desk.cable.bonds.read_bytes(), desk.world.phone.bonds.all()) == (here, there)
            assert not any("bond" in words for words in desk.said)
            assert await desk.link_stands()

    run_virtually(story())


@pytest.mark.clause("P7")
@pytest.mark.parametrize(("undo", "why"), UNDONE.values(), ids=UNDONE)
def test_where_it_costs_the_bond_that_is_said_before_and_after(tmp_path: Path, undo: Undo, why: str) -> None:
    async def story() -> None:
        mind = Mind()
        async with Desk(tmp_path, ChangesMind(mind=mind)) as desk:
            desk.cable.radio = Radio(OneBondStack(desk.cable._pc_host))
            entry = await desk.pair()
            assert desk.said == [f"Connecting to {desk.cable.url.text} ...", LOOK]
            desk.said.clear()
            told = await undo(desk, mind)
            gone = f"; the earlier Bluetooth bond with '{entry.name}' is gone"
            assert told == (why + gone if why else "")
            again = f"fob pair {desk.cable.url.text}"
            warning = (
                f"This replaces the Bluetooth bond with '{entry.name}'. If you stop, or the phone refuses: {again}"
            )
            assert desk.said[:2] == [f"Connecting to {desk.cable.url.text} ...", warning]
            assert (await desk.bonds())[0] is False
            assert not await desk.link_stands()

            mind.is_open = mind.finds_equal = True
            await desk.pair()
            assert await desk.link_stands()

    run_virtually(story())


@pytest.mark.clause("P7")
def test_where_it_costs_the_bond_a_phone_that_is_away_loses_none(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            desk.cable.radio = Radio(OneBondStack(desk.cable._pc_host))
            await desk.pair()
            desk.cable.unplug()
            await asyncio.sleep(10)
            error = await desk.refusal()
            assert (error.why, await desk.bonds()) == (NOT_NEAR, (True, True))

    run_virtually(story())


@pytest.mark.clause("P7", "P14")
def test_a_daemon_or_a_phone_that_is_killed_while_somebody_compares_has_no_bond_on_its_disk(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            pairing = asyncio.create_task(desk.pair(never))
            await desk.until_asked(pairing)
            # This is what either would start from again.
            assert await desk.bonds() == (True, False)
            assert BondsFile.read(desk.cable.bonds).bonds == {}
            desk.world.restart_phone()
            assert (desk.world.phone.bonds.all(), len(desk.world.phone.pairings)) == ([], 0)
            await asyncio.gather(pairing, return_exceptions=True)

    run_virtually(story())


@pytest.mark.clause("P7")
def test_a_bond_that_could_not_be_stored_is_told_of(tmp_path: Path) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async def story() -> None:
        async with Desk(tmp_path) as desk:
            with patch.object(bonds_file, "write_durably", refuse):
                await desk.pair()
            assert desk.said[-1] == (
                f"The Bluetooth bond was not stored: {desk.cable.bonds} cannot be written: No space left on device. "
                f"When there is room: fob pair {desk.cable.url.text}"
            )
            await asyncio.sleep(1)
            assert await desk.bonds() == (False, True)
            await desk.pair()
            assert await desk.link_stands()

    run_virtually(story())


@pytest.mark.clause("P7")
def test_forgetting_deletes_the_bond_here(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            await desk.pair()
            await desk.lines.forget(desk.cable.url)
            assert (await desk.bonds())[0] is False
            # Once more changes nothing.
            await desk.lines.forget(desk.cable.url)

    run_virtually(story())


@pytest.mark.clause("P7", "P14")
def test_a_device_without_authentication_is_not_bonded_with(tmp_path: Path) -> None:
    async def story() -> None:
        async with Desk(tmp_path) as desk:
            await asyncio.sleep(1)
            assert desk.cable._station is not None
            # Just Works.
            weak = PairingConfig(delegate=PairingDelegate(PairingDelegate.NO_OUTPUT_NO_INPUT))
            desk.cable._station._device.pairing_config_factory = lambda _: weak
            error = await desk.refusal()
            assert error.why == BOND_REFUSED
            assert await desk.bonds() == (False, False)

    run_virtually(story())


@pytest.mark.clause("P7", "P14")
async def test_whoever_is_not_being_paired_with_is_refused() -> None:
    stranger = pairing_config(is_expected=False).delegate
    assert not await stranger.accept()
    assert not await stranger.compare_numbers(123456, 6)
    phone = pairing_config(is_expected=True).delegate
    assert await phone.accept()
    assert await phone.compare_numbers(123456, 6)
    assert not await phone.confirm()
    assert await phone.get_number() is None


@pytest.mark.parametrize("text", ["ble:c0:11:22:aa:bb:cc", "ble:C0:11:22:AA:BB:CC"])
def test_an_address_is_written_in_one_way(text: str) -> None:
    url = LineUrl.parse(text)
    assert (url.text, url.scheme, url.path) == ("ble:C0:11:22:AA:BB:CC", "ble", "C0:11:22:AA:BB:CC")


@pytest.mark.parametrize(
    "text", ["ble:", "ble:C0:11:22:AA:BB", "ble:C0:11:22:AA:BB:CC:DD", "ble:C0-11-22-AA-BB-CC", "ble:phone"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(LineUrlError, match="ble:C0:11:22:33:44:55"):
        LineUrl.parse(text)

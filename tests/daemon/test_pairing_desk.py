"""The daemon's pairing desk: what cannot be stored is told to nobody, and what is left of a failure is said exactly."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

import pytest

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.device import registry as registry_module
from fob_daemon.device.device import Device
from fob_daemon.device.pairing import PairingDesk
from fob_daemon.device.registry import DEVICES_LIMIT, PairedDeviceEntry, Registry
from fob_daemon.device.slot import open_slot
from fob_daemon.link.lines import Lines
from fob_daemon.link.manager import LinkManager
from fob_daemon.link.transport import Line, LineUrl
from fob_device.approval.rules import Rules
from fob_protocol.noise.keys import KeyPair
from support.memory_line import Cable
from support.noise import Noise
from support.virtual_loop import run_virtually
from support.world import URL, World

pytestmark = pytest.mark.clause("P7")

Compare = Callable[[str, str, str], Awaitable[bool]]


async def yes(code: str, device: str, serial: str) -> bool:
    return True


class CableLines(Lines):
    """Lines that are all one cable."""

    def __init__(self, cable: Cable) -> None:
        super().__init__(self._no_radio)
        self._cable = cable
        self.opened = 0

    async def open_to_pair(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """A LineOpener for pairing."""
        self.opened += 1
        return await self._cable.open(url, on_data)

    @staticmethod
    def _no_radio() -> NoReturn:
        raise AssertionError("there is no radio")


class Office:
    """A desk, its registry, and a phone at the other end of a cable."""

    def __init__(self, folder: Path) -> None:
        self.cable = Cable(Noise())
        self.world = World(folder, 1, Rules(), self.cable)
        self.registry = Registry.load(folder / "devices.json")
        self.lines = CableLines(self.cable)
        self.said: list[str] = []
        self._identity = KeyPair.generate(self.world.random.randbytes)
        self.desk = PairingDesk(self._identity, self.registry, "me@pc", self.lines)

    async def pair(self, compare: Compare = yes, url: LineUrl = URL) -> PairedDeviceEntry:
        return await self.desk.pair(url, None, compare, self.said.append)

    async def refusal(self, action: Awaitable[object]) -> ControlError:
        with pytest.raises(ControlError) as caught:
            await action
        return caught.value

    async def connected(self, entry: PairedDeviceEntry) -> Device:
        """The paired phone, in session."""
        random = self.world.random.randbytes
        link = LinkManager(entry.lines, self._identity, entry.key_octets, random, self.cable.open)
        device = Device(entry, link, open_slot(entry.slot, entry.name, link))
        device.start()
        await device.settled()
        return device

    @property
    def phone_knows(self) -> int:
        return len(self.world.phone.pairings)


@contextmanager
def full_disk(*, after: int = 0) -> Iterator[None]:
    """No room for the registry, or only for asking whether there is `after` times."""
    left = after

    def refuse(path: Path, content: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with (
        patch.object(registry_module, "write_durably", refuse),
        patch.object(registry_module, "require_room", refuse),
    ):
        yield


def story(folder: Path, tell: Callable[[Office], Awaitable[None]]) -> None:
    async def run() -> None:
        office = Office(folder)
        await tell(office)
        await office.world.close()

    run_virtually(run())


def test_a_pairing_that_could_not_be_stored_is_not_begun(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        with full_disk():
            error = await office.refusal(office.pair())
        path = tmp_path / "devices.json"
        assert (error.what, error.why) == ("not paired", f"{path} cannot be written: No space left on device")
        assert (error.next_command, error.exit_code) == (f"df -h {tmp_path}", ExitCode.FAILED)
        assert (office.lines.opened, office.said, office.phone_knows, office.registry.devices) == (0, [], 0, {})

        await office.pair()
        assert (office.phone_knows, len(office.registry.devices)) == (1, 1)

    story(tmp_path, tell)


def test_a_disk_that_fills_up_meanwhile_leaves_what_is_said(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        with full_disk(after=1):
            error = await office.refusal(office.pair())
        assert error.why.startswith("the phone has stored this computer, but not this computer the phone: ")
        assert error.why.endswith("No space left on device")
        assert error.next_command == f"fob pair {URL.text}"
        assert (office.phone_knows, office.registry.devices) == (1, {})

        await office.pair()
        assert (office.phone_knows, len(office.registry.devices)) == (1, 1)

    story(tmp_path, tell)


def test_pairing_again_on_a_disk_that_fills_up_leaves_the_pairing_as_it_was(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        entry = await office.pair()
        with full_disk(after=1):
            error = await office.refusal(office.pair(url=LineUrl.parse(f"{URL.text}?baud=9600")))
        assert error.why == f"{tmp_path / 'devices.json'} cannot be written: No space left on device"
        assert (office.phone_knows, office.registry.devices) == (1, {entry.name: entry})

    story(tmp_path, tell)


def test_without_a_place_for_the_phone_nobody_is_asked(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        for number in range(DEVICES_LIMIT):
            office.registry.add("phone", bytes([number]) * 32, str(number), URL, 1.0)

        async def asked(code: str, device: str, serial: str) -> bool:
            raise AssertionError("the answer would come to nothing")

        error = await office.refusal(office.pair(asked))
        assert (error.why, error.next_command) == (f"{DEVICES_LIMIT} devices are paired already", "fob devices")
        assert office.phone_knows == 0

    story(tmp_path, tell)


def test_unpairing_that_could_not_be_stored_is_not_begun(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        device = await office.connected(await office.pair())
        with full_disk():
            error = await office.refusal(office.desk.unpair(device))
        assert (error.what, error.next_command) == ("not unpaired", f"df -h {tmp_path}")
        assert error.why == f"{tmp_path / 'devices.json'} cannot be written: No space left on device"
        assert (office.phone_knows, list(office.registry.devices)) == (1, [device.entry.name])

        await office.desk.unpair(device)
        assert (office.phone_knows, office.registry.devices) == (0, {})
        await device.end()

    story(tmp_path, tell)


def test_unpairing_on_a_disk_that_fills_up_meanwhile_can_be_done_again(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        device = await office.connected(await office.pair())
        name = device.entry.name
        with full_disk(after=1):
            error = await office.refusal(office.desk.unpair(device))
        assert error.why.startswith("the phone has forgotten this computer, which still lists it: ")
        assert (error.next_command, office.phone_knows, list(office.registry.devices)) == (
            f"fob unpair {name}",
            0,
            [name],
        )

        await office.desk.unpair(device)
        assert office.registry.devices == {}
        await device.end()

    story(tmp_path, tell)


def test_a_phone_that_disappears_is_said_to_be_no_device(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        is_asked = asyncio.Event()

        async def never(code: str, device: str, serial: str) -> bool:
            is_asked.set()
            return await asyncio.Event().wait()

        pairing = asyncio.create_task(office.refusal(office.pair(never)))
        await is_asked.wait()
        office.cable.switch_off()
        error = await pairing
        assert (error.what, error.why) == ("not paired", "the pairing was broken off: the line ended")
        assert (error.next_command, error.exit_code) == (f"fob pair {URL.text}", ExitCode.NO_DEVICE)

    story(tmp_path, tell)


def test_a_line_has_one_pairing_at_a_time(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        slow = LineUrl.parse(f"{URL.text}?baud=9600")
        with office.desk.at(URL):
            with pytest.raises(ControlError) as refused, office.desk.at(slow):
                pass
            assert refused.value.why == f"a pairing is under way on {slow.text} already"
            with office.desk.at(LineUrl.parse("serial:/other")):
                assert office.desk.is_at(slow)
        assert not office.desk.is_at(URL)
        with office.desk.at(slow):
            assert office.desk.is_at(URL)

    story(tmp_path, tell)

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
from fob_daemon.control.interface import UnpairReport
from fob_daemon.device import registry as registry_module
from fob_daemon.device.device import Device
from fob_daemon.device.pairing import PairingDesk
from fob_daemon.device.registry import DEVICES_LIMIT, PairedDeviceEntry, Registry
from fob_daemon.device.slot import open_slot
from fob_daemon.link.lines import Lines
from fob_daemon.link.manager import LinkManager
from fob_daemon.link.transport import Line, LineUrl
from fob_device.approval.rules import Rules
from fob_device.line.phone_lines import PhoneLines
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from support.fake_device_office import without_office
from support.memory_line import Cable
from support.noise import Noise
from support.virtual_loop import run_virtually
from support.world import URL, World

pytestmark = pytest.mark.clause("P7")

Compare = Callable[[str, str, str], Awaitable[bool]]


async def yes(code: str, device: str, serial: str) -> bool:
    return True


class CableLines(Lines):
    """Lines that are all one cable, but for those at `places`."""

    def __init__(self, cable: Cable) -> None:
        super().__init__(self._no_radio)
        self._cable = cable
        self.places: dict[tuple[str, str], Cable] = {}
        self.opened = 0

    async def open_to_pair(self, url: LineUrl, on_data: Callable[[bytes], None]) -> Line:
        """A LineOpener for pairing."""
        self.opened += 1
        return await self.places.get(url.place, self._cable).open(url, on_data)

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
        device = Device(entry, link, open_slot(entry.slot, entry.name, link), without_office(link))
        device.start()
        await device.settled(self.said.append)
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


class Hesitant:
    """Somebody who answers yes when told to."""

    def __init__(self) -> None:
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def compare(self, code: str, device: str, serial: str) -> bool:
        self.is_asked.set()
        await self.may_answer.wait()
        return True


def test_a_phone_has_one_pairing_at_a_time_whatever_the_line(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        other = LineUrl.parse("tcp:127.0.0.1:4000")
        office.lines.places[other.place] = second_cable = Cable(Noise())
        second_cable.switch_on(PhoneLines(office.world.phone))
        person = Hesitant()
        first = asyncio.create_task(office.pair(person.compare))
        await person.is_asked.wait()

        began = asyncio.get_running_loop().time()
        error = await office.refusal(office.pair(url=other))
        assert asyncio.get_running_loop().time() - began < 1.0
        assert (error.what, error.why) == (
            "not paired",
            f"a pairing with this device is under way already, on {URL.text}",
        )
        assert error.next_command == f"fob pair {other.text}    (when that one has ended)"

        person.may_answer.set()
        entry = await first
        assert entry.urls == (URL.text,)
        assert (await office.pair(url=other)).urls == (URL.text, other.text)

    story(tmp_path, tell)


def test_every_line_of_a_paired_phone_is_its_pairing_s(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        other, strange = LineUrl.parse("tcp:127.0.0.1:4000"), LineUrl.parse("tcp:127.0.0.1:4001")
        await office.pair(url=other)
        entry = await office.pair()
        device = await office.connected(entry)
        with office.desk.at(other):
            assert office.desk.is_at(URL)
            assert not office.desk.is_at(strange)
            with pytest.raises(ControlError, match=rf"under way already, on {other.text}"), office.desk.at(URL):
                pass
            error = await office.refusal(office.desk.unpair(device))
            assert (error.what, error.next_command) == (
                "not unpaired",
                f"fob unpair {entry.name}    (when that one has ended)",
            )
            assert office.phone_knows == 1
        assert not office.desk.is_at(URL)
        await device.end()

    story(tmp_path, tell)


def test_unpairing_tells_whether_the_phone_has_forgotten_this_computer(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        device = await office.connected(await office.pair())
        assert await office.desk.unpair(device) == UnpairReport(device.entry.name, True, "", "")
        assert office.phone_knows == 0
        await device.end()

    story(tmp_path, tell)


# What keeps the phone from forgetting this computer.
Happens = Callable[[Office, Device], Awaitable[None]]


async def gone(office: Office, device: Device) -> None:
    office.cable.switch_off()
    await asyncio.sleep(5)


async def refuses(office: Office, device: Device) -> None:
    def refuse(key: bytes) -> None:
        raise CkrError(Ckr.DEVICE_MEMORY, "its memory is full")

    office.world.phone.pairings.remove = refuse  # type: ignore[method-assign]


async def knows_nobody(office: Office, device: Device) -> None:
    office.world.phone.pairings.remove(office._identity.public)
    office.world.restart_phone()
    await asyncio.sleep(5)


NOT_TOLD = {
    "away": (gone, "the phone was not told (serial:/cable: nothing is plugged in): it still trusts this computer"),
    "refuses": (refuses, "the phone refused (its memory is full): it still trusts this computer"),
    "forgot": (
        knows_nobody,
        "the phone was not told; it says that it is not paired with this computer, which nothing proves",
    ),
}


@pytest.mark.parametrize(("happens", "why"), NOT_TOLD.values(), ids=NOT_TOLD)
def test_a_phone_that_still_trusts_this_computer_is_told_of(tmp_path: Path, happens: Happens, why: str) -> None:
    async def tell(office: Office) -> None:
        device = await office.connected(await office.pair())
        name = device.entry.name
        await happens(office, device)
        report = await office.desk.unpair(device)
        again = f"fob pair {URL.text} --name {name} && fob unpair {name}"
        assert (report.device, report.phone_forgot, report.why) == (name, False, why)
        assert report.next == f"remove 'me@pc' on the phone    (or, when it is near: {again})"
        # This computer's part is done in any case.
        assert office.registry.devices == {}
        await device.end()

    story(tmp_path, tell)


def test_a_line_has_one_pairing_at_a_time(tmp_path: Path) -> None:
    async def tell(office: Office) -> None:
        slow = LineUrl.parse(f"{URL.text}?baud=9600")
        with office.desk.at(URL):
            with pytest.raises(ControlError) as refused, office.desk.at(slow):
                pass
            assert refused.value.why == f"a pairing with this device is under way already, on {URL.text}"
            assert refused.value.next_command == f"fob pair '{slow.text}'    (when that one has ended)"
            with office.desk.at(LineUrl.parse("serial:/other")):
                assert office.desk.is_at(slow)
        assert not office.desk.is_at(URL)
        with office.desk.at(slow):
            assert office.desk.is_at(URL)

    story(tmp_path, tell)

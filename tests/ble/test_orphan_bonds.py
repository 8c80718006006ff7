"""A daemon that is killed while a person compares leaves no bond behind, and touches no other program's."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bumble.hci import Address
from bumble.keys import PairingKeys

from fob_daemon.device import orphan_bonds
from fob_daemon.device.orphan_bonds import OrphanBonds
from fob_daemon.device.pairing import PairingDesk
from fob_daemon.device.registry import Registry
from fob_daemon.link.ble.bluez.stack import BlueZStack
from fob_daemon.link.ble.bluez.unsettled import UNSETTLED_FILE, UnsettledBonds
from fob_daemon.link.ble.hci.bonds import Bonds
from fob_daemon.link.ble.hci.bonds_file import BONDS_FILE
from fob_daemon.link.ble.radio import Radio
from fob_daemon.link.lines import Lines
from fob_daemon.link.transport import LineUnavailableError, LineUrl
from fob_daemon.permissions import PermissionsError
from fob_protocol.noise.keys import KeyPair
from support.fake_bluez import FakeBlueZ, fake_bluez
from support.session import seeded

pytestmark = pytest.mark.clause("P7", "P14")

PHONE = "C0:11:22:33:44:55"
PAIRED = "C0:22:33:44:55:66"
STRANGER = "C0:66:77:88:99:AA"
KEY = bytes(32)

BEGUN = 1_800_000_000.0
BEFORE, AFTER = BEGUN - 1.0, BEGUN + 1.0


class Start:
    """What a daemon has at its start, with a device that was paired at `PAIRED` then and then."""

    def __init__(self, state: Path, *, paired_at: float = BEFORE, by_bluez: bool = True) -> None:
        self.unsettled = UnsettledBonds(state / UNSETTLED_FILE, lambda: BEGUN)
        self.registry = Registry(state / "devices.json")
        self.registry.add("pixel", KEY, "1", url(PAIRED), paired_at)
        self.radios_made = 0
        self.lines = Lines(self._radio)
        self.desk = PairingDesk(KeyPair.generate(seeded(1)), self.registry, "me@pc", self.lines)
        self.orphans = OrphanBonds(state, self.registry, self.desk, self.lines, by_bluez=by_bluez)

    def _radio(self) -> Radio:
        self.radios_made += 1
        return Radio(BlueZStack(self.unsettled))

    async def settled(self) -> None:
        """When nothing is left to clear up."""
        async with asyncio.timeout(10):
            while self.unsettled.all():  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.01)

    async def close(self) -> None:
        await self.orphans.close()
        await self.lines.close()


def url(address: str) -> LineUrl:
    return LineUrl.parse(f"ble:{address}")


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    start = Start(tmp_path)
    yield start
    await start.close()


async def test_a_bond_that_was_begun_is_deleted_and_no_stranger_s(start: Start, bluez: FakeBlueZ) -> None:
    bluez.add(PHONE, Paired=True)
    others = [bluez.add(PAIRED, Paired=True), bluez.add(STRANGER, Paired=True)]
    start.unsettled.begin(PHONE)
    start.orphans.delete_at_start()
    await start.settled()
    assert list(bluez.devices) == others


async def test_the_bond_of_a_device_that_was_being_paired_again_is_deleted(start: Start, bluez: FakeBlueZ) -> None:
    bluez.add(PAIRED, Paired=True)
    start.unsettled.begin(PAIRED)
    start.orphans.delete_at_start()
    await start.settled()
    assert list(bluez.devices) == []


async def test_a_bond_whose_pairing_was_stored_stays(tmp_path: Path, bluez: FakeBlueZ) -> None:
    start = Start(tmp_path, paired_at=AFTER)
    kept = bluez.add(PAIRED, Paired=True)
    start.unsettled.begin(PAIRED)
    start.orphans.delete_at_start()
    await start.settled()
    assert list(bluez.devices) == [kept]
    await start.close()


async def test_a_pairing_under_way_is_left_alone(start: Start, bluez: FakeBlueZ) -> None:
    bluez.add(PHONE, Paired=True)
    start.unsettled.begin(PHONE)
    with start.desk.at(url(PHONE)):
        assert await start.orphans._delete()
        assert len(bluez.devices) == 1
    assert await start.orphans._delete()
    assert len(bluez.devices) == 0


async def test_a_bluetoothd_that_starts_after_the_daemon_is_waited_for(
    start: Start, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphan_bonds, "TRY_AGAIN", 0.05)
    start.unsettled.begin(PHONE)
    start.orphans.delete_at_start()
    await asyncio.sleep(0.2)
    assert start.unsettled.all() == {PHONE: BEGUN}
    async with fake_bluez(address, PHONE) as bluez:
        await start.settled()
        assert list(bluez.devices) == []


async def test_an_adapter_that_comes_later_is_waited_for(
    start: Start, bluez: FakeBlueZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BlueZ knows no device of an adapter that is not there: as it starts, or unplugged."""
    monkeypatch.setattr(orphan_bonds, "TRY_AGAIN", 0.05)
    adapters, bluez.adapters = bluez.adapters, {}
    start.unsettled.begin(PHONE)
    start.orphans.delete_at_start()
    async with asyncio.timeout(10):
        while len(bluez.calls) < 2:  # noqa: ASYNC110 - a list
            await asyncio.sleep(0.01)
    assert start.unsettled.all() == {PHONE: BEGUN}
    bluez.adapters = adapters
    bluez.add(PHONE, Paired=True)
    await start.settled()
    assert list(bluez.devices) == []


async def test_a_device_that_is_unpaired_without_a_bluetoothd_loses_its_bond_later(start: Start, address: str) -> None:
    start.registry.remove("pixel")
    await start.orphans.unpaired(url(PAIRED))
    assert list(start.unsettled.all()) == [PAIRED]
    async with fake_bluez(address, PAIRED) as bluez:
        start.orphans.delete_soon()
        await start.settled()
        assert list(bluez.devices) == []


async def test_nothing_to_clear_up_loads_no_radio(start: Start) -> None:
    start.orphans.delete_at_start()
    await asyncio.sleep(0.05)
    assert start.radios_made == 0


@pytest.mark.parametrize("content", ["no JSON", "[]", '{"/org/bluez": 1.0}', '{"C0:11:22:33:44:55": "then"}'])
async def test_a_damaged_list_of_bonds_is_no_list(start: Start, tmp_path: Path, content: str) -> None:
    (tmp_path / UNSETTLED_FILE).write_text(content)
    assert start.unsettled.all() == {}
    start.orphans.delete_at_start()
    await asyncio.sleep(0.05)
    assert start.radios_made == 0
    start.unsettled.begin(PHONE)
    assert start.unsettled.all() == {PHONE: BEGUN}


async def made_bonds(path: Path, *addresses: str) -> Bonds:
    """A file with these bonds."""
    bonds = Bonds(path)
    for address in addresses:
        await bonds.update(address, keys(address))
        bonds.keep(address)
    return bonds


def keys(name: str) -> PairingKeys:
    return PairingKeys(
        address_type=Address.RANDOM_DEVICE_ADDRESS,
        ltk=PairingKeys.Key(name.encode()[:16].ljust(16, b"."), authenticated=True),
    )


async def test_the_file_of_a_controller_of_our_own_keeps_only_bonds_of_paired_devices(tmp_path: Path) -> None:
    before = await made_bonds(tmp_path / BONDS_FILE, PHONE, PAIRED, f"{STRANGER}/P")
    Start(tmp_path, by_bluez=False).orphans.delete_at_start()
    after = Bonds(tmp_path / BONDS_FILE)
    assert [name for name, _ in await after.get_all()] == [PAIRED]
    assert (str(after.address), after.irk) == (str(before.address), before.irk)


async def test_what_no_pairing_has_proved_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / BONDS_FILE
    bonds = await made_bonds(path, PAIRED)
    old = path.read_bytes()
    await bonds.update(PHONE, keys(PHONE))
    await bonds.update(PAIRED, keys(STRANGER))
    # What is left when the daemon is killed now.
    assert path.read_bytes() == old

    assert bonds.has(PHONE)
    bonds.give_up(PHONE)
    assert not bonds.has(PHONE)
    assert await bonds.get(PAIRED) == keys(STRANGER)
    bonds.give_up(PAIRED)
    assert await bonds.get(PAIRED) == keys(PAIRED)
    assert path.read_bytes() == old

    await bonds.update(PAIRED, keys(STRANGER))
    bonds.keep(PAIRED)
    assert await Bonds(path).get_all() == [(PAIRED, keys(STRANGER))]


async def test_a_bond_that_cannot_be_stored_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    bonds = await made_bonds(folder / BONDS_FILE, PAIRED)
    await bonds.update(PHONE, keys(PHONE))
    folder.rename(tmp_path / "elsewhere")
    for change in (bonds.keep, bonds.remove):
        with pytest.raises(LineUnavailableError) as caught:
            change(PHONE if change == bonds.keep else PAIRED)
        assert caught.value.why == f"{folder / BONDS_FILE} cannot be written: No such file or directory"
        assert caught.value.remedy == f"df -h {folder}"
    assert await bonds.get(PAIRED) == keys(PAIRED)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
async def test_keys_that_others_can_read_are_refused_as_the_identity_is(tmp_path: Path, mode: int) -> None:
    path = tmp_path / BONDS_FILE
    await made_bonds(path, PAIRED)
    path.chmod(mode)
    why = f"{path} is a secret, and mode {mode:04o} opens it to other users"
    with pytest.raises(PermissionsError) as refused:
        Start(tmp_path, by_bluez=False).orphans.delete_at_start()
    assert (str(refused.value), refused.value.next_command) == (why, f"chmod 600 {path}")
    # A daemon that was started without the file meets it when it first needs the radio.
    with pytest.raises(LineUnavailableError) as caught:
        Bonds(path)
    assert (caught.value.why, caught.value.remedy) == (why, f"chmod 600 {path}")


async def test_a_damaged_file_of_bonds_is_told_of_when_the_radio_is_needed(tmp_path: Path) -> None:
    path = tmp_path / BONDS_FILE
    await made_bonds(path, PHONE)
    file = json.loads(path.read_text())
    path.write_text(json.dumps(file | {"irk": "00"}))
    with pytest.raises(LineUnavailableError) as caught:
        Bonds(path)
    assert (caught.value.why, caught.value.remedy) == (f"{path} is damaged (ValueError)", f"rm {path}")
    path.write_text("no JSON")
    Start(tmp_path, by_bluez=False).orphans.delete_at_start()
    assert path.read_text() == "no JSON"

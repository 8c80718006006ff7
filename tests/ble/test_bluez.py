"""Bonding by BlueZ: conversations over a real message bus with a bluetoothd that follows its script."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from bleak import BleakClient
from bleak.backends.bluezdbus.client import BleakClientBlueZDBus
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode
from dbus_fast import DBusError, Variant

from fob_daemon.link.ble.bluez.doubts import DOUBTS_LIMIT, Doubts
from fob_daemon.link.ble.bluez.stack import BlueZStack
from fob_daemon.link.ble.bluez.unsettled import UNSETTLED_FILE, UnsettledBonds
from fob_daemon.link.ble.errors import BOND_REFUSED, NO_BLUEZ, NO_BUS, explained
from fob_daemon.link.ble.radio import FORGOTTEN_HERE, Radio
from fob_daemon.link.transport import BondLostError, LineUnavailableError
from support.fake_bluez import PASSKEY, FakeBlueZ, die, fake_bluez, message_bus, say_nothing

PHONE = "C0:11:22:33:44:55"
STRANGER = "C0:66:77:88:99:AA"
OTHER_ADAPTER = "/org/bluez/hci1"
NOW = 1_800_000_000.0


@pytest.fixture
def unsettled(tmp_path: Path) -> UnsettledBonds:
    return UnsettledBonds(tmp_path / UNSETTLED_FILE, lambda: NOW)


@pytest.fixture
async def stack(unsettled: UnsettledBonds) -> AsyncIterator[BlueZStack]:
    stack = BlueZStack(unsettled)
    yield stack
    await stack.close()


def client_of(path: str) -> BleakClient:
    """bleak's client of a device; nobody connects."""
    return BleakClient(BLEDevice(PHONE, "Pixel", {"path": path}), backend=BleakClientBlueZDBus)


async def bond(stack: BlueZStack, client: BleakClient) -> None:
    """As the radio does, on a connection that is there."""
    async with stack.ready_to_bond(PHONE) as bond_with:
        await bond_with(client)


@pytest.mark.clause("P7", "P14")
async def test_our_agent_confirms_for_the_device_that_is_paired(stack: BlueZStack, bluez: FakeBlueZ) -> None:
    path = bluez.add(PHONE, Connected=True, Paired=False)
    seen: list[tuple[str, str]] = []

    async def confirm(bluez: FakeBlueZ, sender: str, device: str) -> bool:
        seen.append(bluez.agents[sender])
        return await bluez.ask(sender, "RequestConfirmation", "ou", device, PASSKEY) is None

    bluez.when_paired = confirm
    assert not await stack.is_bonded(PHONE)
    await bond(stack, client_of(path))
    assert seen == [("/fob/agent", "DisplayYesNo")]
    assert await stack.is_bonded(PHONE)
    assert bluez.property(path, "Trusted")
    # Nobody answers for us any more.
    assert (bluez.agents, bluez.default_agent) == ({}, None)


@pytest.mark.clause("P7", "P14")
async def test_a_bond_is_written_down_before_it_is_made_until_it_is_proved_or_gone(
    stack: BlueZStack, bluez: FakeBlueZ, unsettled: UnsettledBonds
) -> None:
    path = bluez.add(PHONE, Connected=True)
    before: list[dict[str, float]] = []

    async def look(bluez: FakeBlueZ, sender: str, device: str) -> bool:
        before.append(unsettled.all())
        return await bluez.ask(sender, "RequestConfirmation", "ou", device, PASSKEY) is None

    bluez.when_paired = look
    await bond(stack, client_of(path))
    assert before == [unsettled.all()] == [{PHONE: NOW}]
    stack.keep(PHONE)
    assert unsettled.all() == {}
    assert await stack.is_bonded(PHONE)

    await bond(stack, client_of(path))
    assert unsettled.all() == {PHONE: NOW}
    await stack.give_up(PHONE)
    assert unsettled.all() == {}
    assert not await stack.is_bonded(PHONE)


@pytest.mark.clause("P7")
async def test_no_bond_is_made_that_could_not_be_written_down(bluez: FakeBlueZ, tmp_path: Path) -> None:
    path = bluez.add(PHONE, Connected=True)
    nowhere = tmp_path / "gone" / UNSETTLED_FILE
    stack = BlueZStack(UnsettledBonds(nowhere))
    with pytest.raises(LineUnavailableError) as caught:
        await bond(stack, client_of(path))
    assert caught.value.why == f"{nowhere} cannot be written: No such file or directory"
    assert caught.value.remedy == f"df -h {nowhere.parent}"
    assert not await stack.is_bonded(PHONE)
    await stack.close()


@pytest.mark.clause("P7")
async def test_our_agent_is_the_default_one_before_the_phone_is_connected_with(
    stack: BlueZStack, bluez: FakeBlueZ
) -> None:
    path = bluez.add(PHONE, Connected=False)
    async with stack.ready_to_bond(PHONE) as bond_with:
        assert [bluez.default_agent] == list(bluez.agents)
        bluez.devices[path] |= {"Connected": Variant("b", True)}
        await bond_with(client_of(path))
    assert await stack.is_bonded(PHONE)


@pytest.mark.clause("P14")
@pytest.mark.parametrize(
    ("question", "signature", "body"),
    [
        ("RequestConfirmation", "ou", ("stranger", PASSKEY)),
        ("RequestAuthorization", "o", ("phone",)),
        ("RequestAuthorization", "o", ("stranger",)),
        ("RequestPasskey", "o", ("phone",)),
        ("RequestPinCode", "o", ("phone",)),
        ("DisplayPinCode", "os", ("phone", "0000")),
        ("AuthorizeService", "os", ("phone", "0000110e-0000-1000-8000-00805f9b34fb")),
    ],
)
async def test_our_agent_refuses_all_else(
    stack: BlueZStack, bluez: FakeBlueZ, question: str, signature: str, body: tuple[object, ...]
) -> None:
    paths: dict[object, str] = {"phone": bluez.add(PHONE, Connected=True), "stranger": bluez.add(STRANGER)}
    answers: list[str | None] = []

    async def ask(bluez: FakeBlueZ, sender: str, device: str) -> bool:
        answers.append(await bluez.ask(sender, question, signature, *(paths.get(value, value) for value in body)))
        return False

    bluez.when_paired = ask
    with pytest.raises(LineUnavailableError, match=BOND_REFUSED.replace("?", r"\?")), explained():
        await bond(stack, client_of(paths["phone"]))
    assert answers == ["org.bluez.Error.Rejected"]
    assert not await stack.is_bonded(PHONE)


@pytest.mark.clause("P14")
async def test_a_bond_that_asked_nobody_is_refused(stack: BlueZStack, bluez: FakeBlueZ) -> None:
    async def just_works(bluez: FakeBlueZ, sender: str, device: str) -> bool:
        return True

    path = bluez.add(PHONE, Connected=True)
    bluez.when_paired = just_works
    with pytest.raises(BleakError, match="did not accept the Bluetooth bond"):
        await bond(stack, client_of(path))


@pytest.mark.clause("P7")
async def test_a_bluetoothd_that_was_restarted_is_told_of_our_agent_again(stack: BlueZStack, address: str) -> None:
    for _ in range(2):
        async with fake_bluez(address) as bluez:
            await bond(stack, client_of(bluez.add(PHONE, Connected=True)))
            assert await stack.is_bonded(PHONE)


@pytest.mark.clause("P7")
async def test_a_bluetoothd_that_dies_while_bonding_is_no_hang(stack: BlueZStack, bluez: FakeBlueZ) -> None:
    path = bluez.add(PHONE, Connected=True)
    bluez.when_paired = die
    with pytest.raises(LineUnavailableError, match="does not answer, or has just ended"), explained():
        async with asyncio.timeout(5):
            await bond(stack, client_of(path))


@pytest.mark.clause("P7")
async def test_a_bonding_that_is_given_up_is_cancelled(stack: BlueZStack, bluez: FakeBlueZ) -> None:
    path = bluez.add(PHONE, Connected=True)
    bluez.when_paired = say_nothing
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await bond(stack, client_of(path))
    assert [member for member, _ in bluez.calls][-2:] == ["CancelPairing", "UnregisterAgent"]
    assert bluez.agents == {}


async def test_a_device_that_is_gone_is_not_bonded_with(stack: BlueZStack, bluez: FakeBlueZ) -> None:
    path = bluez.add(PHONE, Connected=False)
    with pytest.raises(BleakError, match="the connection ended"):
        await bond(stack, client_of(path))


async def test_forgetting_removes_the_device_from_every_adapter(stack: BlueZStack, bluez: FakeBlueZ) -> None:
    bluez.add(PHONE, Paired=True)
    bluez.add(PHONE, OTHER_ADAPTER, Paired=True)
    kept = bluez.add(STRANGER, Paired=True)
    await stack.forget(PHONE)
    assert list(bluez.devices) == [kept]
    # Once more changes nothing.
    await stack.forget(PHONE)
    assert [path for member, path in bluez.calls if member == "RemoveDevice"] == ["hci0", "hci1"]


@pytest.mark.clause("P7")
async def test_a_connection_that_an_earlier_run_left_is_ended(stack: BlueZStack, bluez: FakeBlueZ) -> None:
    path = bluez.add(PHONE, Connected=True)
    other = bluez.add(STRANGER, Connected=True)
    await stack.free(PHONE)
    assert (bluez.property(path, "Connected"), bluez.property(other, "Connected")) == (False, True)


@pytest.mark.clause("P7")
async def test_a_bond_that_this_computer_lost_is_told(stack: BlueZStack, bluez: FakeBlueZ) -> None:
    bluez.add(PHONE, Paired=True, Bonded=False)
    with pytest.raises(BondLostError) as caught:
        await Radio(stack).open(PHONE, lambda octets: None)
    assert caught.value.why == FORGOTTEN_HERE
    assert caught.value.remedy == f"fob pair ble:{PHONE}"


async def test_a_bluez_that_does_not_run_is_named(address: str, stack: BlueZStack) -> None:
    with pytest.raises(LineUnavailableError) as caught:
        await Radio(stack).open(PHONE, lambda octets: None)
    assert (caught.value.why, caught.value.remedy) == (NO_BLUEZ, "sudo systemctl start bluetooth")


async def test_a_bus_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: BlueZStack
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    with pytest.raises(LineUnavailableError) as caught:
        await Radio(stack).open(PHONE, lambda octets: None)
    assert (caught.value.why, caught.value.remedy) == (NO_BUS, "sudo systemctl start dbus")


async def test_a_bus_that_was_restarted_is_connected_to_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: BlueZStack
) -> None:
    for _ in range(2):
        with message_bus(tmp_path) as address:
            monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
            async with fake_bluez(address) as bluez:
                bluez.add(PHONE, Paired=True)
                assert await stack.is_bonded(PHONE)
        await asyncio.sleep(0.1)


def test_an_error_that_says_so_is_a_lost_bond() -> None:
    att = BleakGATTProtocolError(BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION)
    wrapped = BleakError("Failed to connect")
    wrapped.__cause__ = BleakDBusError("org.bluez.Error.AuthenticationFailed", ["Authentication Failed"])
    for error in (att, wrapped):
        assert Doubts().is_lost(PHONE, error)


def test_failures_in_a_row_are_a_lost_bond_and_a_success_between_them_is_none() -> None:
    doubts = Doubts()
    failed = partial(doubts.is_lost, PHONE, DBusError("org.bluez.Error.Failed", "le-connection-abort-by-local"))
    assert [failed() for _ in range(DOUBTS_LIMIT)] == [False] * (DOUBTS_LIMIT - 1) + [True]
    doubts.clear(PHONE)
    assert not failed()
    assert not doubts.is_lost(STRANGER, TimeoutError())

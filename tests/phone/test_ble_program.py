"""The phone as a program with a radio: three processes, which die and come back."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from bumble.keys import MemoryKeyStore
from bumble.transport import open_transport

from fob_device.ports.ble.station import static_address
from fob_device.ports.url import PortUrlError, open_port
from fob_device.state import open_phone
from support.ble_world import greet, pair_over
from support.central import Central, central
from support.ready_program import PATIENCE, Program, installed, running

pytestmark = pytest.mark.clause("P7")

DEVICE = installed("fob-device")
INTERVAL = "--interval=7.5"


@dataclass
class Place:
    """A folder with a phone that was made, and where the radio's socket is."""

    folder: Path
    address: str

    @property
    def hosts(self) -> str:
        """The radio's socket."""
        return str(self.folder / "hosts")

    def start_radio(self) -> Program:
        """Ready to be connected to."""
        return Program(DEVICE, "radio", f"--listen=unix:{self.hosts}", INTERVAL)

    def start_phone(self) -> Program:
        """On the air."""
        return Program(*self.phone_command())

    def phone_command(self) -> tuple[str, ...]:
        """The phone with its port."""
        return (DEVICE, "run", f"--state={self.folder / 'phone'}", f"--port=ble:unix-client:{self.hosts}")

    @contextlib.asynccontextmanager
    async def computer(self, keys: MemoryKeyStore | None = None) -> AsyncIterator[Central]:
        """A computer on the same air, with the bonds of an earlier one."""
        async with central(await open_transport(f"unix-client:{self.hosts}")) as pc:
            if keys is not None:
                pc.device.keystore = keys
            yield pc


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new phone; it takes a second to make."""
    folder = tmp_path_factory.mktemp("made")
    command = (DEVICE, "init", f"--state={folder / 'phone'}", "--label=Radio phone", "--pins=-")
    subprocess.run(command, input=b"123456\n12345678\n", check=True, timeout=PATIENCE, capture_output=True)
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Place:
    """A copy of it, which nobody is paired with."""
    subprocess.run(["cp", "-a", str(made / "phone"), str(tmp_path)], check=True, timeout=PATIENCE)
    memory = open_phone(tmp_path / "phone")
    address = static_address(memory.identity.public)
    memory.close()
    return Place(tmp_path, address)


@pytest.fixture
def radio(place: Place) -> Iterator[None]:
    """The air."""
    with running(DEVICE, "radio", f"--listen=unix:{place.hosts}", INTERVAL):
        yield


async def test_a_killed_phone_knows_its_computers_when_it_is_started_again(place: Place, radio: None) -> None:
    phone = await asyncio.to_thread(place.start_phone)
    async with place.computer() as pc:
        await pc.connect(place.address)
        await pc.bond()
        await pc.subscribe()
        await pair_over(pc)
        phone.kill()
        await pc.gone()
        phone = await asyncio.to_thread(place.start_phone)
        await pc.connect(place.address)
        await pc.encrypt()
        await pc.subscribe()
        assert await greet(pc) == b"AT\r\r\nOK\r\n"
    assert await asyncio.to_thread(phone.stop) == 0


async def test_a_phone_whose_controller_was_unplugged_is_back_when_it_is_plugged_in(place: Place) -> None:
    radio = await asyncio.to_thread(place.start_radio)
    phone = await asyncio.to_thread(place.start_phone)
    async with place.computer() as pc:
        await pc.connect(place.address)
        await pc.bond()
        await pc.subscribe()
        await pair_over(pc)
        keys = pc.device.keystore
        assert isinstance(keys, MemoryKeyStore)
        radio.kill()
    radio = await asyncio.to_thread(place.start_radio)
    async with place.computer(keys) as pc:
        await pc.connect(place.address)
        await pc.encrypt()
        await pc.subscribe()
        assert await greet(pc) == b"AT\r\r\nOK\r\n"
    assert await asyncio.to_thread(phone.stop) == 0
    assert await asyncio.to_thread(radio.stop) == 0


async def test_a_stranger_writes_nothing_into_the_phones_log(place: Place, radio: None) -> None:
    phone = await asyncio.to_thread(place.start_phone)
    async with place.computer() as pc:
        await pc.connect(place.address)
        for name in ("to device", "to pc", "configuration"):
            await pc.write(pc.handle(name), b"\1\0", response=False)
        for channel in (4, 5, 6):
            for octets in (b"", b"\0", b"\xff" * 40, bytes(range(30))):
                pc.connection.send_l2cap_pdu(channel, octets)
        await pc.disconnect()
        await pc.connect(place.address)
    assert await asyncio.to_thread(phone.stop) == 0
    assert [line for line in phone.words.splitlines() if "is on" not in line] == []


def test_a_phone_without_its_controller_says_so(place: Place) -> None:
    done = subprocess.run(place.phone_command(), capture_output=True, timeout=PATIENCE, check=False, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"error: the phone cannot be reached by ble:unix-client:{place.hosts}",
        "why:   No such file or directory",
        f"try:   ls -l {place.hosts}",
    ]


@pytest.mark.parametrize("url", ["ble:", "ble:usb", "ble:usb:", "ble:carrier-pigeon:1", "ble:usb:0?baud=9600"])
def test_a_url_that_names_no_controller(url: str) -> None:
    with pytest.raises(PortUrlError):
        open_port(url)

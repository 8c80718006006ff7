"""A controller that sends anything but HCI: the phone says that it does not answer, and nothing else."""

import asyncio
import logging
import random
from pathlib import Path

import pytest

from fob_device.approval.rules import Rules
from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.ble import station
from fob_device.ports.ble.port import serve_ble
from fob_device.ports.url import PortUrlError, open_port
from support.world import World

pytestmark = pytest.mark.clause("P7")


async def test_garbage_from_a_controller_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(station, "POWER_TIME", 0.5)
    octets = b"\x04" + random.Random(1).randbytes(100_000)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(octets)
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(answer, tmp_path / "air")
    world = World(tmp_path, 1, Rules())
    async with server:
        with caplog.at_level(logging.DEBUG), pytest.raises(OSError, match="it does not answer"):
            await serve_ble(f"unix-client:{tmp_path}/air", PhoneLines(world.phone), lambda: None)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
    await world.close()


@pytest.mark.parametrize("name", ["tcp-client:127.0.0.1", "hci-socket:x", "hci-socket:-1", "usb:x"])
def test_a_controller_that_cannot_be_is_refused_before_anything_is_opened(name: str) -> None:
    with pytest.raises(PortUrlError, match=f"'ble:{name}': behind {name.partition(':')[0]}: stands "):
        open_port(f"ble:{name}")

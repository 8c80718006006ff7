"""A line that cannot be opened: the cause once, in words, and no numbers."""

import asyncio
import contextlib
from pathlib import Path

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.link.transport import HELP, LineUnavailableError, LineUrl, LineUrlError, open_line

BOUNDS = "baud is a number from 300 to 4000000"


async def why(url: str) -> str:
    with pytest.raises(LineUnavailableError) as caught:
        await open_line(LineUrl.parse(url), lambda octets: None)
    return str(caught.value)


async def test_what_is_no_serial_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert await why(f"serial:{tmp_path}/none") == f"serial:{tmp_path}/none: No such file or directory"
    assert await why(f"serial:{tmp_path}") == f"serial:{tmp_path}: it is no serial line"
    assert await why(f"serial:{tmp_path}/file") == f"serial:{tmp_path}/file: it is no serial line"
    assert await why("serial:/dev/null") == "serial:/dev/null: it is no serial line"


async def test_a_line_that_is_in_use(tmp_path: Path) -> None:
    import os
    import pty

    master, slave = pty.openpty()
    url = f"serial:{os.ttyname(slave)}"
    line = await open_line(LineUrl.parse(url), lambda octets: None)

    assert await why(url) == f"{url}: another program has it open"

    line.close()
    await asyncio.sleep(0)
    os.close(slave)
    os.close(master)


async def test_what_is_written_to_a_port_at_once_arrives() -> None:
    import os
    import pty

    master, slave = pty.openpty()
    line = await open_line(LineUrl.parse(f"serial:{os.ttyname(slave)}"), lambda octets: None)
    line.write(b"AT\r")
    assert await asyncio.to_thread(os.read, master, 10) == b"AT\r"
    line.close()
    await asyncio.sleep(0)
    os.close(slave)
    os.close(master)


async def test_a_port_that_is_pulled_out_ends_its_line_without_a_word_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    import os
    import pty

    master, slave = pty.openpty()
    line = await open_line(LineUrl.parse(f"serial:{os.ttyname(slave)}"), lambda octets: None)
    # More than the port takes while nobody reads at its other end.
    line.write(bytes(100_000))
    os.close(slave)
    os.close(master)
    async with asyncio.timeout(10):
        await line.lost.wait()
    assert caplog.messages == []


async def test_nobody_listens() -> None:
    assert await why("tcp:127.0.0.1:1") == "tcp:127.0.0.1:1: Connection refused"
    assert (await why("tcp:a..b:1")).startswith("tcp:a..b:1: ")
    assert await why("tcp:nowhere.invalid:1") == "tcp:nowhere.invalid:1: Name or service not known"


async def test_a_speed_that_a_port_does_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import pty

    def refuse(port: serial.Serial, baud: int) -> None:
        raise ValueError(f"Failed to set custom baud rate ({baud})")

    monkeypatch.setattr(serial.Serial, "_set_special_baudrate", refuse)
    master, slave = pty.openpty()
    url = f"serial:{os.ttyname(slave)}?baud=12345"
    assert await why(url) == f"{url}: Failed to set custom baud rate (12345)"
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize(
    ("url", "baud"), [("serial:/dev/x", 115_200), ("serial:/dev/x?baud=300", 300), ("tcp:phone.example:65535", 0)]
)
def test_the_speed_stands_in_the_url(url: str, baud: int) -> None:
    assert LineUrl.parse(url).baud == baud


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", HELP),
        ("usb:/dev/x", HELP),
        ("serial:", HELP),
        ("serial:?baud=9600", HELP),
        ("serial:/dev/a%00b", HELP),
        ("serial:/dev/x?bad=7", "this kind of line has no option 'bad'"),
        ("serial:/dev/x?baud=9600&baud=9600", "the option 'baud' stands there twice"),
        ("serial:/dev/x?baud=", BOUNDS),
        ("serial:/dev/x?baud=299", BOUNDS),
        ("serial:/dev/x?baud=99999999999", BOUNDS),
        ("tcp:4000", HELP),
        ("tcp::4000", HELP),
        ("tcp:a%00b:80", HELP),
        ("tcp:host:", "port is a number from 1 to 65535"),
        ("tcp:host:0", "port is a number from 1 to 65535"),
        ("tcp:host:65536", "port is a number from 1 to 65535"),
        ("tcp:host:4000?baud=9600", "this kind of line has no option 'baud'"),
        ("ble:C0:11:22:33:44:55?baud=9600", "this kind of line has no option 'baud'"),
    ],
)
def test_a_url_that_names_no_line_is_told_why(url: str, words: str) -> None:
    with pytest.raises(LineUrlError) as refused:
        LineUrl.parse(url)
    assert str(refused.value) == f"'{url}': {words}"


@given(st.text() | st.sampled_from(["serial:", "tcp:", "ble:"]).flatmap(lambda kind: st.text().map(kind.__add__)))
def test_any_text_is_a_line_or_is_refused(text: str) -> None:
    with contextlib.suppress(LineUrlError):
        assert LineUrl.parse(text).place[0] in ("serial", "tcp", "ble")


def test_a_line_is_at_one_place_whatever_its_speed() -> None:
    slow, fast = LineUrl.parse("serial:/dev/x?baud=9600"), LineUrl.parse("serial:/dev/x")
    assert (slow == fast, slow.place == fast.place) == (False, True)
    assert LineUrl.parse("serial:/dev/y").place != fast.place

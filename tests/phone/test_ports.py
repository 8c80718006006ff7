"""Port URLs, and a port that cannot be had: three lines, never a traceback."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.ports.url import HELP, PortUrlError, open_port

PROGRAM = str(Path(sys.executable).parent / "fob-device")
PINS = b"123456\n12345678\n"
LONGEST = 20.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phone that was made once."""
    folder = tmp_path_factory.mktemp("made") / "phone"
    command = [PROGRAM, "init", "--state", str(folder), "--pins", "-"]
    subprocess.run(command, input=PINS, check=True, capture_output=True, timeout=LONGEST)
    return folder


@pytest.fixture
def phone(made: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(made, tmp_path / "phone"))


def run(phone: Path, *ports: str) -> list[str]:
    return [PROGRAM, "run", "--state", str(phone), *(word for port in ports for word in ("--port", port))]


@contextlib.contextmanager
def running(phone: Path, *ports: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A phone whose ports are open; afterwards it is asked to end, and does so without a word of complaint."""
    address = phone.parent / f"{phone.name}.ready"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.bind(str(address))
        ready.settimeout(LONGEST)
        process = subprocess.Popen(
            run(phone, *ports), stderr=subprocess.PIPE, env=os.environ | {"NOTIFY_SOCKET": str(address)}
        )
        try:
            assert ready.recv(100) == b"READY=1"
            yield process
            process.terminate()
            _, words = process.communicate(timeout=LONGEST)
            assert b"Traceback" not in words
            assert process.returncode in (0, -signal.SIGKILL)
        finally:
            process.kill()
            process.wait()
            address.unlink()


def refusal(phone: Path, *ports: str) -> tuple[str, str, str]:
    """What, why, and the next command of a phone that does not start."""
    done = subprocess.run(run(phone, *ports), capture_output=True, text=True, timeout=LONGEST, check=False)
    match = re.fullmatch(r"(?:WARNING.*\n.*\n)*error: (.*)\nwhy:   (.*)\ntry:   (.*)\n", done.stderr)
    assert match is not None, done.stderr
    assert (done.returncode, done.stdout) == (1, "")
    return match[1], match[2], match[3]


@pytest.mark.parametrize(
    ("url", "is_exposed"),
    [
        ("pty:/tmp/line", False),
        ("serial:/dev/ttyUSB0", False),
        ("serial:/dev/ttyUSB0?baud=9600", False),
        ("tcp:127.0.0.1:4000", False),
        ("tcp:127.9.9.9:1", False),
        ("tcp:localhost:65535", False),
        ("tcp:[::1]:4000", False),
        ("tcp:0.0.0.0:4000", True),
        ("tcp:[::]:4000", True),
        ("tcp:192.0.2.7:4000", True),
        ("tcp:[2001:db8::7]:4000", True),
        ("tcp:phone.example:4000", True),
        ("tcp:localhost.example:4000", True),
    ],
)
def test_a_port_says_whether_other_machines_reach_it(url: str, is_exposed: bool) -> None:
    port = open_port(url)
    assert (port.url, port.is_exposed) == (url, is_exposed)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", HELP),
        ("nope", HELP),
        ("usb:/dev/x", HELP),
        ("pty:", HELP),
        ("pty:?x=1", HELP),
        ("pty:/tmp/a%00b", HELP),
        ("pty:/tmp/a?x=1", "this kind of line has no option 'x'"),
        ("serial:/dev/x?bauds=9600", "this kind of line has no option 'bauds'"),
        ("serial:/dev/x?baud=9600&baud=9600", "the option 'baud' stands there twice"),
        ("serial:/dev/x?baud=", "baud is a number from 300 to 4000000"),
        ("serial:/dev/x?baud=-1", "baud is a number from 300 to 4000000"),
        ("serial:/dev/x?baud=299", "baud is a number from 300 to 4000000"),
        ("serial:/dev/x?baud=4000001", "baud is a number from 300 to 4000000"),
        ("serial:/dev/x?baud=²", "baud is a number from 300 to 4000000"),
        ("serial:/dev/x?baud=" + "9" * 5000, "baud is a number from 300 to 4000000"),
        ("tcp:4000", HELP),
        ("tcp::4000", HELP),
        ("tcp:[::1", HELP),
        ("tcp:::1:4000", HELP),
        ("tcp:[::1]", HELP),
        ("tcp:a..b:80", HELP),
        ("tcp:127.0.0.1:", HELP),
        ("tcp:127.0.0.1:²", HELP),
        ("tcp:127.0.0.1:0", "port is a number from 1 to 65535"),
        ("tcp:127.0.0.1:99999", "port is a number from 1 to 65535"),
        ("tcp:127.0.0.1:4000?x", "this kind of line has no option 'x'"),
    ],
)
def test_a_url_that_names_no_port_is_told_why(url: str, words: str) -> None:
    with pytest.raises(PortUrlError) as refused:
        open_port(url)
    assert str(refused.value) == f"'{url}': {words}"


@given(st.one_of(st.text(), st.sampled_from(["pty:", "serial:", "tcp:"]).flatmap(lambda s: st.text().map(s.__add__))))
def test_any_text_is_a_port_or_is_refused(text: str) -> None:
    with contextlib.suppress(PortUrlError):
        assert open_port(text).url == text


def test_a_port_that_cannot_be_had_is_told_in_three_lines(phone: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        url = f"tcp:127.0.0.1:{number}"
        what, why, command = refusal(phone, url)
        assert (what, command) == (f"the phone cannot be reached by {url}", f"ss -ltnp 'sport = :{number}'")
        assert "address already in use" in why
        # Also when another port of the phone was opened already; and what was opened is closed.
        what, _, _ = refusal(phone, f"pty:{tmp_path / 'line'}", url)
        assert what == f"the phone cannot be reached by {url}"
    what, why, command = refusal(phone, "pty:/nonexistent/line")
    assert what == "the phone cannot be reached by pty:/nonexistent/line"
    assert (why, command) == (
        "/nonexistent/line.lock: No such file or directory",
        "ls -ld /nonexistent /nonexistent/line",
    )
    what, why, command = refusal(phone, "tcp:[::1")
    assert (what, command) == ("the phone did not start", "fob-device run --help")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["phone"]


def test_a_port_that_other_machines_reach_is_warned_of(phone: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as taken:  # noqa: S104 - nobody connects to it
        url = f"tcp:0.0.0.0:{taken.getsockname()[1]}"
        done = subprocess.run(run(phone, url), capture_output=True, text=True, timeout=LONGEST, check=False)
    assert done.stderr.startswith(f"WARNING: {url} can be reached from other machines.")
    assert "only pairing protects the keys" in done.stderr


def test_rules_that_cannot_be_read_are_told_in_three_lines(phone: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    for content in (b"\xff\xfe", b"pairing = 7", b"pairing ="):
        rules.write_bytes(content)
        command = [*run(phone, f"pty:{tmp_path / 'line'}"), "--rules", str(rules)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
        assert [line[:7] for line in done.stderr.splitlines()] == ["error: ", "why:   ", "try:   "]


def test_a_second_run_of_the_same_phone_is_refused_until_the_first_ends(phone: Path, tmp_path: Path) -> None:
    with running(phone, f"pty:{tmp_path / 'one'}"):
        what, why, command = refusal(phone, f"pty:{tmp_path / 'two'}")
        assert (what, command) == ("the phone did not start", "pgrep -af 'fob-device run'")
        assert why == f"{phone / 'token.db'} is in use by another process"
        assert not os.path.lexists(tmp_path / "two")
    with running(phone, f"pty:{tmp_path / 'two'}") as process:
        process.kill()
    with running(phone, f"pty:{tmp_path / 'two'}"):
        pass


def test_a_line_that_is_in_use_is_left_alone(phone: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(phone, tmp_path / "other"))
    line = tmp_path / "line"
    with running(phone, f"pty:{line}") as process:
        terminal = line.readlink()
        what, why, _ = refusal(other, f"pty:{line}")
        assert (what, why) == (f"the phone cannot be reached by pty:{line}", f"{line}: in use by process {process.pid}")
        assert line.readlink() == terminal
        assert line.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "phone"]


def test_the_same_line_twice_is_refused(phone: Path, tmp_path: Path) -> None:
    _, why, _ = refusal(phone, f"pty:{tmp_path / 'line'}", f"pty:{tmp_path / 'line'}")
    assert "in use by process" in why
    assert not os.path.lexists(tmp_path / "line")


def test_the_line_of_a_phone_that_was_killed_is_taken_over(phone: Path, tmp_path: Path) -> None:
    line = tmp_path / "line"
    with running(phone, f"pty:{line}") as process:
        process.kill()
    assert line.is_symlink()
    with running(phone, f"pty:{line}"):
        assert line.exists()
    assert not os.path.lexists(line)


def test_a_link_to_a_terminal_that_lives_but_is_no_phones_is_taken_over(phone: Path, tmp_path: Path) -> None:
    # The kernel gave the number of a dead phone's terminal to somebody else.
    line = tmp_path / "line"
    master, slave = os.openpty()
    try:
        line.symlink_to(os.ttyname(slave))
        with running(phone, f"pty:{line}"):
            assert str(line.readlink()) != os.ttyname(slave)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_line_is_never_replaced(phone: Path, tmp_path: Path, kind: str) -> None:
    line, precious = tmp_path / "line", tmp_path / "precious"
    precious.write_text("precious")
    if kind == "file":
        line.write_text("precious")
    elif kind == "folder":
        line.mkdir()
    else:
        line.symlink_to(precious)
    _, why, _ = refusal(phone, f"pty:{line}")
    words = "is a link to something that is no terminal" if kind == "link" else "exists and is no link"
    assert why == f"{line}: {words}"
    assert precious.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["line", "phone", "precious"]

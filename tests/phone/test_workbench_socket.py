"""The workbench's control socket: whose it is, what it takes, and how much of it."""

import contextlib
import json
import os
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fob_device.json_lines import CLIENTS_LIMIT, LINE_LIMIT
from fob_device.workbench.control import SOCKET_FILE
from support.bench_program import command, done, refusal, report, until
from support.ready_program import PATIENCE, Program, running


class Asking:
    """A program on the socket."""

    def __init__(self, phone: Path) -> None:
        # An address has no room for the path.
        folder = os.open(phone, os.O_PATH)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(f"/proc/self/fd/{folder}/{SOCKET_FILE}")
        os.close(folder)
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> "Asking":
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def line(self, line: bytes) -> dict[str, Any]:
        self._socket.sendall(line)
        answer: dict[str, Any] = json.loads(self._lines.readline())
        return answer

    def ask(self, **request: object) -> dict[str, Any]:
        return self.line(json.dumps(request).encode() + b"\n")

    @property
    def is_cut_off(self) -> bool:
        try:
            return self._lines.readline() == b""
        except ConnectionResetError:
            return True


def test_the_socket_is_its_owners_alone_and_is_gone_with_the_phone(phone: Path, line: Path) -> None:
    place = phone / SOCKET_FILE
    assert stat.S_ISSOCK(place.stat().st_mode)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_nothing_is_left_of_it(phone: Path, tmp_path: Path) -> None:
    with running(*command(phone, f"pty:{tmp_path / 'line'}")):
        assert (phone / SOCKET_FILE).exists()
    assert sorted(path.name for path in phone.iterdir()) == ["root.key", "token.db"]
    assert refusal(phone, "calm") == (
        f"no phone runs from {phone}",
        f"{phone / SOCKET_FILE}: No such file or directory",
        f"fob-device run --state {phone} --port ...",
    )


def test_the_socket_of_a_phone_that_was_killed_is_taken_over(phone: Path, tmp_path: Path) -> None:
    program = Program(*command(phone, f"pty:{tmp_path / 'line'}"))
    program.kill()
    assert refusal(phone, "calm")[1] == f"{phone / SOCKET_FILE}: Connection refused"
    with running(*command(phone, f"pty:{tmp_path / 'line'}")):
        assert report(phone)["is_on"]


def test_what_is_no_socket_is_left_alone(phone: Path, tmp_path: Path) -> None:
    (phone / SOCKET_FILE).write_text("precious")
    words = subprocess.run(
        command(phone, f"pty:{tmp_path / 'line'}"), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert words.returncode == 1
    assert f"error: the workbench cannot listen at {phone / SOCKET_FILE}" in words.stderr
    assert (phone / SOCKET_FILE).read_text() == "precious"


def test_a_phone_that_is_off_is_still_somebodys(phone: Path, line: Path, tmp_path: Path) -> None:
    done(phone, "battery", "0")
    until(lambda: not line.exists())
    other = subprocess.run(
        command(phone, f"pty:{tmp_path / 'other'}"), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert other.returncode == 1
    assert f"error: the workbench cannot listen at {phone / SOCKET_FILE}\nwhy:   in use by process" in other.stderr
    done(phone, "battery", "1", "--charging")
    done(phone, "wait", "10")
    assert line.exists()


def test_every_request_over_the_socket(phone: Path, line: Path) -> None:
    url = f"pty:{line}"
    with Asking(phone) as program:
        for request in (
            {"do": "away", "seconds": 0.1, "port": url},
            {"do": "wait", "seconds": 10},
            {"do": "power", "seconds": 0.1},
            {"do": "wait", "seconds": 10},
            {"do": "battery", "percent": 7, "charging": True},
            {"do": "slow", "rate": 960, "port": url},
            {"do": "damage", "direction": "in", "frames": 2, "port": url},
            {"do": "lose", "direction": "out"},
            {"do": "clock", "shift": -3600},
        ):
            assert program.ask(**request) == {"ok": True}
        told = program.ask(do="report")["report"]
        assert told == {
            "is_on": True,
            "battery": {"percent": 7, "is_charging": True},
            "clock_shift": -3600.0,
            "ports": [{"url": url, "kind": "pty", "is_open": True, "is_away": False, "octets_per_second": 960}],
            "lines": [
                {
                    "port": url, "kind": "pty", "number": None, "computer": "nobody",
                    "octets_in": 0, "octets_out": 0, "frames_damaged": 0, "frames_lost": 0,
                }
            ],
            "faults": [
                {"harm": "damage", "direction": "in", "port": url},
                {"harm": "damage", "direction": "in", "port": url},
                {"harm": "lose", "direction": "out", "port": None},
            ],
            "frames_damaged": 0,
            "frames_lost": 0,
            "components": [],
        }  # fmt: skip
        refused = program.ask(do="spoil", component="rates")
        assert refused == {"ok": False, "error": "there is no component rates; there is none"}
        assert program.ask(do="calm") == {"ok": True}
        assert program.ask(do="drop") == {"ok": True, "dropped": 0}
        told = program.ask(do="report")["report"]
        assert (told["faults"], told["ports"][0]["octets_per_second"]) == ([], None)


def test_what_the_socket_does_not_understand_changes_nothing(phone: Path, line: Path) -> None:
    with Asking(phone) as program:
        before = program.ask(do="report")
        for request in (
            b"", b"[1]", b"{}", b'{"do": "fly"}', b"\xff", b'{"do": "report", "extra": 1}',
            b'{"do": "power"}', b'{"do": "power", "seconds": "5"}', b'{"do": "power", "seconds": -1}',
            b'{"do": "power", "seconds": 1e999}', b'{"do": "power", "seconds": NaN}',
            b'{"do": "away", "seconds": 1, "port": "pty:/other"}', b'{"do": "away", "seconds": 1, "port": ""}',
            b'{"do": "slow"}', b'{"do": "slow", "rate": 9}', b'{"do": "slow", "rate": 9.5}',
            b'{"do": "damage", "direction": "up"}', b'{"do": "lose", "direction": "in", "frames": 0}',
            b'{"do": "clock", "shift": 1e10}', b'{"do": "battery", "percent": 101}', b'{"do": "wait", "seconds": 601}',
            b'{"do": "drop", "line": 99999999999999999999999}', b'{"do": "drop", "line": 1}',
        ):  # fmt: skip
            answer = program.line(request + b"\n")
            assert answer["ok"] is False, request
            assert answer["error"]
        assert program.ask(do="report") == before


def test_a_line_over_the_limit_and_a_client_too_many_are_cut_off(phone: Path, line: Path) -> None:
    with contextlib.ExitStack() as stack:
        programs = [stack.enter_context(Asking(phone)) for _ in range(CLIENTS_LIMIT)]
        for program in programs:
            assert program.ask(do="calm") == {"ok": True}
        with Asking(phone) as one_more:
            assert one_more.is_cut_off
        with pytest.raises((json.JSONDecodeError, ConnectionError)):
            programs[0].line(b" " * (3 * LINE_LIMIT))
        assert programs[1].ask(do="calm") == {"ok": True}


def test_a_phone_ends_though_a_program_waits_for_it(phone: Path, tmp_path: Path) -> None:
    program = Program(*command(phone, f"pty:{tmp_path / 'line'}"))
    with Asking(phone) as waiting, Asking(phone) as idle:
        assert waiting.ask(do="battery", percent=0) == {"ok": True}
        waiting._socket.sendall(b'{"do": "wait", "seconds": 600}\n')
        assert idle.ask(do="calm") == {"ok": True}
        assert program.stop() == 0
        assert waiting.is_cut_off
        assert idle.is_cut_off

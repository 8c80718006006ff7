"""A phone that runs as a program, its workbench by command, and a computer's end of its lines."""

import contextlib
import json
import os
import re
import select
import termios
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from fob_device.main import main
from support.ready_program import PATIENCE, installed

DEVICE = installed("fob-device")
# What a line says to AT.
OK = b"AT\r\r\nOK\r\n"


def command(phone: Path, *ports: str) -> list[str]:
    return [DEVICE, "run", f"--state={phone}", *(f"--port={port}" for port in ports)]


def do(phone: Path, *verb: str) -> Result:
    return CliRunner().invoke(main, ["bench", f"--state={phone}", *verb])


def done(phone: Path, *verb: str) -> str:
    """What a verb prints."""
    result = do(phone, *verb)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def refusal(phone: Path, *verb: str) -> tuple[str, str, str]:
    """What, why, and the next command."""
    result = do(phone, *verb)
    assert (result.exit_code, result.stdout) == (1, "")
    match = re.fullmatch(r"error: (.*)\nwhy:   (.*)\ntry:   (.*)\n", result.stderr)
    assert match is not None, result.stderr
    return match[1], match[2], match[3]


def report(phone: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(done(phone, "lines", "--json"))
    return report


@contextlib.contextmanager
def terminal(path: Path) -> Iterator[int]:
    """A computer's end of a line."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        yield descriptor
    finally:
        os.close(descriptor)


def greeting(descriptor: int) -> bytes:
    """What comes back for AT."""
    os.write(descriptor, b"AT\r")
    heard = b""
    while len(heard) < len(OK) and (octets := read(descriptor)):
        heard += octets
    return heard


def read(descriptor: int) -> bytes:
    """What the phone says next; nothing when it has hung up."""
    assert select.select([descriptor], [], [], PATIENCE)[0]
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


def until(condition: Callable[[], bool]) -> None:
    """Within patience."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)

"""Where a PIN comes from: a prompt, a file, standard input; never an argument, which every user could read in /proc."""

import sys
from collections.abc import Callable
from typing import Any, Final

import click

from fob_daemon.cli.context import Fob
from fob_daemon.cli.questions import ask_pin, is_somebody_there
from fob_daemon.control.errors import PIN_NEEDED_STATUS, ControlError, ExitCode
from fob_daemon.control.limits import MAX_PIN

STANDARD_INPUT: Final = "-"

pin_option = click.option(
    "--pin-file", metavar="FILE", help="Read the PIN from the first line of FILE, or of standard input when it is '-'."
)


def with_pin(fob: Fob, device: dict[str, Any], pin_file: str | None, send: Callable[[dict[str, str]], Any]) -> Any:
    """Send a request whose body gets `pin` where the device needs one. Raises ControlError."""
    if pin_file is not None:
        if pin_file not in fob.pins:
            # Standard input and a pipe give it once.
            fob.pins[pin_file] = _read_pin(pin_file)
        return send({"pin": fob.pins[pin_file]})
    try:
        return send({})
    except ControlError as error:
        if error.status != PIN_NEEDED_STATUS or not (device["name"] in fob.pins or is_somebody_there()):
            raise
    pin = fob.pins.get(device["name"]) or ask_pin(f"PIN of '{device['name']}'")
    if pin is None:
        raise ControlError("the PIN was not read", "nothing was typed", "the same command again", ExitCode.USAGE)
    answer = send({"pin": pin})
    # One that was right is right for what the command asks next.
    fob.pins[device["name"]] = pin
    return answer


def _read_pin(pin_file: str) -> str:
    try:
        pin = _first_line(pin_file).rstrip(b"\r\n").decode()
    except OSError as error:
        raise _not_read(pin_file, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise _not_read(pin_file, "it is no text") from None
    if not pin:
        raise _not_read(pin_file, "its first line is empty")
    if len(pin.encode()) > MAX_PIN:
        raise _not_read(pin_file, f"its first line has more than {MAX_PIN} octets")
    return pin


def _first_line(pin_file: str) -> bytes:
    """As much of it as says whether it is a PIN. Raises OSError."""
    enough = MAX_PIN + len("\r\n")
    if pin_file == STANDARD_INPUT:
        return sys.stdin.buffer.readline(enough) if sys.stdin else b""
    with open(pin_file, "rb") as file:
        return file.readline(enough)


def _not_read(pin_file: str, why: str) -> ControlError:
    return ControlError("the PIN was not read", f"{pin_file}: {why}", "--pin-file FILE", ExitCode.USAGE)

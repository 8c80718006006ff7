"""A Bluetooth controller of the daemon's own (`[bluetooth] hci`): does it answer, or at least, is it there?"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Outcome
from fob_protocol.link.controller import Controller

ANSWER_TIME: Final = 3.0

# HCI_Read_Local_Version_Information, which changes nothing, and the first octet of any event, by H4 (Core 5.4, vol. 4,
# part A, 2, and part E, 7.4.1).
ASK: Final = b"\x01\x01\x10\x00"
EVENT: Final = b"\x04"


def check_controller(controller: Controller, root: Path) -> Iterator[Finding]:
    """Asked where a socket leads to it; one that the daemon has to itself is only looked for."""
    match controller.kind:
        case "unix-client" | "tcp-client":
            yield _asked(controller)
        case "hci-socket":
            yield _looked_for(controller, root / f"sys/class/bluetooth/hci{controller.place}")
        case "serial":
            path = root / controller.path.lstrip("/")
            yield _opened(controller, path) if os.path.exists(path) else _looked_for(controller, path)
        case _:
            yield Finding(Outcome.SKIP, _name(controller), "whether it is there is not known", controller.look)


def _name(controller: Controller) -> str:
    return f"Bluetooth controller {controller.kind}:{controller.place}"


def _asked(controller: Controller) -> Finding:
    try:
        with _connection(controller) as client:
            client.sendall(ASK)
            why = "" if client.recv(1) == EVENT else "what listens there is no controller"
    except TimeoutError:
        why = f"no answer in {ANSWER_TIME:g} s"
    except OSError as error:
        why = error.strerror or str(error)
    if not why:
        return Finding(Outcome.OK, _name(controller), "it answers")
    remedy = f"start what listens there, and then: {controller.look}"
    return Finding(Outcome.FAIL, f"the {_name(controller)} does not answer", why, remedy)


def _connection(controller: Controller) -> socket.socket:
    """Raises OSError."""
    if controller.kind == "tcp-client":
        return socket.create_connection(controller.address, ANSWER_TIME)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(ANSWER_TIME)
    try:
        client.connect(controller.path)
    except OSError:
        client.close()
        raise
    return client


def _looked_for(controller: Controller, path: Path) -> Finding:
    if os.path.exists(path):
        return Finding(Outcome.OK, _name(controller), "it is there")
    remedy = f"plug it in, and then: {controller.look}"
    return Finding(Outcome.FAIL, f"the {_name(controller)} is not there", f"there is no {path}", remedy)


def _opened(controller: Controller, path: Path) -> Finding:
    if os.access(path, os.R_OK | os.W_OK):
        return Finding(Outcome.OK, _name(controller), "it can be opened")
    remedy = 'sudo adduser "$USER" dialout, then log in again'
    return Finding(Outcome.FAIL, f"the {_name(controller)} cannot be opened", f"this user may not open {path}", remedy)

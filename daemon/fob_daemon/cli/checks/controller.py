"""A Bluetooth controller of the daemon's own (`[bluetooth] hci`): does it answer, or at least, is it there?"""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Outcome
from fob_protocol.link.controller import Controller

ANSWER_TIME: Final = 3.0

# HCI_Read_Local_Version_Information, which changes nothing, by H4 (Core 5.4, vol. 4, part A, 2, and part E, 7.4.1).
ASK: Final = b"\x01\x01\x10\x00"
# The events that a controller may send, and the one that ends our command (part E, 7.7.14): number of commands allowed,
# opcode, status 0, and what was asked for.
EVENT: Final = 0x04
EVENT_HEAD: Final = 3
COMMAND_COMPLETE: Final = 0x0E
OPCODE: Final = ASK[1:3]
STATUS_AT: Final = 3
# A controller that had something else to say before it answers: other events, each of 258 octets at the most.
EVENTS_LIMIT: Final = 16

NO_CONTROLLER: Final = "what listens there is no controller"


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
            why = "" if _is_answered(client, time.monotonic() + ANSWER_TIME) else NO_CONTROLLER
    except TimeoutError:
        why = f"no answer in {ANSWER_TIME:g} s"
    except OSError as error:
        why = error.strerror or str(error)
    if not why:
        return Finding(Outcome.OK, _name(controller), "it answers")
    remedy = f"start what listens there, and then: {controller.look}"
    return Finding(Outcome.FAIL, f"the {_name(controller)} does not answer", why, remedy)


def _is_answered(client: socket.socket, until: float) -> bool:
    """Whether our command's Command Complete comes, behind some other events at the most. Raises OSError."""
    for _ in range(EVENTS_LIMIT):
        head = _read(client, EVENT_HEAD, until)
        if len(head) < EVENT_HEAD or head[0] != EVENT:
            return False
        parameters = _read(client, head[2], until)
        if head[1] == COMMAND_COMPLETE and parameters[1:STATUS_AT] == OPCODE:
            return len(parameters) == head[2] and parameters[STATUS_AT : STATUS_AT + 1] == b"\0"
    return False


def _read(client: socket.socket, size: int, until: float) -> bytes:
    """So many octets, fewer at the end of the stream. Raises OSError, TimeoutError at `until`."""
    octets = b""
    while len(octets) < size:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        client.settimeout(left)
        more = client.recv(size - len(octets))
        if not more:
            break
        octets += more
    return octets


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

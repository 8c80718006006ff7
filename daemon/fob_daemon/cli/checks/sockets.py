"""The three sockets: do they exist, who may connect, does anyone answer?"""

import grp
import os
import shlex
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.agent_logins import has_to_be_unlocked, phones_to_unlock
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Run
from fob_daemon.cli.client import OWN
from fob_daemon.permissions import SOCKET_MODE

ANSWER_TIME: Final = 3.0

# Whose members may connect to the sockets of the machine's own service.
GROUP: Final = "fob"
GROUP_MODE: Final = 0o660

# p11-kit RPC: the client's highest version, answered by a byte. ssh-agent: SSH_AGENTC_REQUEST_IDENTITIES, answered by a
# length and SSH_AGENT_IDENTITIES_ANSWER.
HELLO_PROVIDER: Final = b"\x00"
HELLO_AGENT: Final = b"\x00\x00\x00\x01\x0b"


def check_sockets(machine: Machine) -> Iterator[Finding]:
    """Mode, owner and life of each socket."""
    yield _check(machine, "control socket", machine.control, b"")
    yield _check(machine, "provider socket", machine.provider, HELLO_PROVIDER)
    yield _check(machine, "agent socket", machine.agent, HELLO_AGENT)


def check_agent_variable(machine: Machine) -> Iterator[Finding]:
    """Does this shell's ssh use the phone?"""
    variable = machine.environment.get("SSH_AUTH_SOCK")
    if variable == str(machine.agent):
        yield Finding(Outcome.OK, "SSH_AUTH_SOCK", "ssh asks the phone")
    else:
        detail = "another agent's" if variable else "not set"
        yield Finding(Outcome.SKIP, "SSH_AUTH_SOCK", detail, 'eval "$(fob ssh env)", or see: fob ssh config')


def check_agent_login(machine: Machine) -> Iterator[Finding]:
    """May ssh and git sign with each phone?"""
    if machine.status is None:
        return
    waiting = phones_to_unlock(machine.status)
    for device in machine.devices:
        subject = f"ssh with '{device['name']}'"
        if device["name"] in waiting:
            what, why = f"ssh and git cannot use '{device['name']}'", "it has no PIN pad, and is not unlocked"
            yield Finding(Outcome.WARN, what, why, f"fob unlock --device {shlex.quote(device['name'])}")
        elif has_to_be_unlocked(device):
            yield Finding(Outcome.OK, subject, "it is unlocked")
        elif device["token_flags"]:
            yield Finding(Outcome.OK, subject, "it asks for its PIN itself")


def _check(machine: Machine, subject: str, path: Path, hello: bytes) -> Finding:
    try:
        found = path.stat()
    except OSError as error:
        remedy = OWN if isinstance(error, PermissionError) else machine.start
        return Finding(Outcome.FAIL, f"the {subject} is not there", f"{path}: {error.strerror}", remedy)
    mode, wanted = found.st_mode, _mode_of(found)
    if not stat.S_ISSOCK(mode):
        remedy = f"rm {shlex.quote(str(path))}, and start fobd again"
        return Finding(Outcome.FAIL, f"the {subject} is not there", f"{path} is no socket", remedy)
    if mode & (stat.S_IRWXG | stat.S_IRWXO) & ~wanted:
        why = f"{path} has mode {stat.S_IMODE(mode):04o}"
        command = ("chmod", f"{wanted:o}", str(path))
        return Finding(
            Outcome.WARN,
            f"the {subject} is open to other users",
            why,
            shlex.join(command),
            Run(command),
        )
    why = _trouble(path, hello)
    if why:
        remedy = machine.restart if os.access(path, os.W_OK) else OWN
        return Finding(Outcome.FAIL, f"nobody answers at the {subject}", f"{path}: {why}", remedy)
    return Finding(Outcome.OK, subject, f"{path}, mode {stat.S_IMODE(mode):04o}")


def _mode_of(found: os.stat_result) -> int:
    """What systemd/README.md says of such a socket: only the machine's is for a group."""
    try:
        is_machine_s = grp.getgrgid(found.st_gid).gr_name == GROUP
    except KeyError:
        is_machine_s = False
    return GROUP_MODE if is_machine_s else SOCKET_MODE


def _trouble(path: Path, hello: bytes) -> str:
    """Why nobody answers there; empty when somebody does."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(ANSWER_TIME)
        try:
            client.connect(str(path))
            client.sendall(hello)
            return "" if not hello or client.recv(1) else "it hangs up"
        except TimeoutError:
            return f"no answer in {ANSWER_TIME:.0f} s"
        except OSError as error:
            return error.strerror or str(error)

"""Who is at the other end of a Unix socket: for admission by uid, and for people to read in logs and on screens."""

import os
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import Final

# struct ucred: pid, uid, gid.
_UCRED: Final = Struct("3i")

# A log line and a phone's screen show less; a command line may have megabytes.
MAX_COMMAND_LINE: Final = 4096
MAX_ARGUMENTS: Final = 64

UNKNOWN_PROGRAM: Final = "?"
_HIDDEN: Final = "***"
_DELETED: Final = " (deleted)"

# Programs take PINs as arguments: `--pin 1234`, `-p 1234`, `-p1234`, `--set-so-pin=1234`, `-passin pass:1234`,
# `pin-value=` in a PKCS#11 URI. Hiding a port number after `-p` does no harm.
_SECRET_OPTION: Final = re.compile(r"--?(?:p|[\w-]*(?:pin|puk|pass|secret)[\w-]*)", re.IGNORECASE)
_ATTACHED_SECRET: Final = re.compile(r"-p\d.*", re.DOTALL)
_SECRET_IN_URI: Final = re.compile(r"(pin-value=)[^;&?\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """The process at the other end when it connected.

    `uid` and `gid` come from the kernel and cannot be forged. `program` (the executable's name) and `command_line` (its
    arguments, secrets hidden) are read from /proc: a process can rewrite them, so they inform and never authorise.
    """

    pid: int
    uid: int
    gid: int
    program: str
    command_line: tuple[str, ...]


def peer_identity(connection: socket.socket, proc: Path = Path("/proc")) -> PeerIdentity:
    """Ask the kernel (SO_PEERCRED) and /proc; a connection that is not local has pid 0 and uid -1."""
    pid, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    process = proc / str(pid)
    return PeerIdentity(pid, uid, gid, program_name(process), tuple(hide_secrets(program_arguments(process))))


def hide_secrets(arguments: Sequence[str]) -> Iterator[str]:
    """The arguments of a command with the values of PIN and password options left out."""
    hide_next = False
    for argument in arguments:
        option, equals, _ = argument.partition("=")
        is_secret_option = _SECRET_OPTION.fullmatch(option) is not None
        if hide_next:
            yield _HIDDEN
        elif _ATTACHED_SECRET.fullmatch(argument):
            yield f"-p{_HIDDEN}"
        elif is_secret_option and equals:
            yield f"{option}={_HIDDEN}"
        else:
            yield _SECRET_IN_URI.sub(rf"\g<1>{_HIDDEN}", argument)
        hide_next = is_secret_option and not equals and not hide_next


def program_name(process: str | Path) -> str:
    """The name of the executable of a process, by its folder in /proc.

    The kernel shows it only to the same user, and the short name to everyone.
    """
    try:
        # An upgrade takes the file away from under a program that runs.
        return os.path.basename(os.readlink(f"{process}/exe")).removesuffix(_DELETED) or UNKNOWN_PROGRAM
    except OSError:
        return _read(Path(process, "comm")).rstrip("\ufffd") or UNKNOWN_PROGRAM


def program_arguments(process: Path) -> list[str]:
    """The command line of a process, by its folder in /proc, secrets and all: to look something up, never to show."""
    text = _read(process / "cmdline")
    return text.rstrip("\0").split("\0", MAX_ARGUMENTS)[:MAX_ARGUMENTS] if text else []


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_COMMAND_LINE).decode(errors="replace")
    except OSError:
        return ""
    # A terminal must not obey what a process calls itself.
    return "".join(letter if letter.isprintable() or letter == "\0" else "\ufffd" for letter in text)

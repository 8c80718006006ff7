"""What a person calls a host by its key: the known_hosts files (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").

A hashed name says whether a guess is right and nothing else; the guesses come from the command line of the `ssh`.
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import pwd
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from stat import S_ISREG
from typing import Final

from fob_daemon.agent.limits import MAX_KNOWN_HOSTS
from fob_protocol.names import is_plain_name

_SYSTEM_FILES: Final = (Path("/etc/ssh/ssh_known_hosts"), Path("/etc/ssh/ssh_known_hosts2"))
_USER_FILES: Final = (".ssh/known_hosts", ".ssh/known_hosts2")

_HASHED: Final = "|1|"
# A line begins with names, type and key; a marker in front (@cert-authority, @revoked) makes it no key of a host.
_FIELDS: Final = 3


def known_hosts_files(uid: int) -> tuple[Path, ...]:
    """Where OpenSSH's client looks unless it is configured otherwise."""
    try:
        home = Path(pwd.getpwuid(uid).pw_dir)
    except KeyError:
        return _SYSTEM_FILES
    return (*(home / name for name in _USER_FILES), *_SYSTEM_FILES)


def host_name(host_key: bytes, files: Iterable[Path], command_line: Sequence[str]) -> str | None:
    """A name that `files` know the key by: one that the command line has, else the first that is no address.

    None when there is none. Reads the files: not for the event loop.
    """
    key = base64.b64encode(host_key).decode()
    guesses = tuple(_guesses(command_line))
    names = [name for file in files for field in _fields_of(key, file) for name in _names(field, guesses)]
    named = next((guess for guess in guesses if guess in names), None)
    return named or min(names, key=_is_address, default=None)


def _guesses(command_line: Sequence[str]) -> Iterator[str]:
    """Each argument as a destination, `user@host` or `host`, with the port of any `-p` in the form of the files."""
    ports = [port for option, port in pairwise(command_line) if option == "-p"]
    ports += [argument[2:] for argument in command_line if argument.startswith("-p") and len(argument) > 2]
    for argument in command_line[1:]:
        host = argument.rpartition("@")[2].lower()
        yield from (f"[{host}]:{port}" for port in ports[:1])
        yield host


def _fields_of(key: str, file: Path) -> Iterator[str]:
    """The names field of each line with this key."""
    for line in _read(file).split("\n"):
        fields = line.split(None, _FIELDS)
        if len(fields) >= _FIELDS and fields[2] == key and not fields[0].startswith(("#", "@")):
            yield fields[0]


def _names(field: str, guesses: Sequence[str]) -> Iterator[str]:
    """The names of a field; patterns are none."""
    if field.startswith(_HASHED):
        yield from (guess for guess in guesses if _is_hash_of(field, guess))
        return
    for name in field.split(","):
        if name and is_plain_name(name) and not any(sign in name for sign in "*?!"):
            yield name


def _is_hash_of(field: str, name: str) -> bool:
    """`|1|salt|HMAC-SHA1 of the name`, both in base 64."""
    salt, _, digest = field.removeprefix(_HASHED).partition("|")
    try:
        expected = base64.b64decode(digest, validate=True)
        found = hmac.new(base64.b64decode(salt, validate=True), name.encode(errors="replace"), hashlib.sha1).digest()
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(found, expected)


def _is_address(name: str) -> bool:
    host = name.removeprefix("[").partition("]")[0] if name.startswith("[") else name
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _read(file: Path) -> str:
    """Its first MAX_KNOWN_HOSTS bytes; nothing of what is no file, or not for us to read."""
    try:
        if not S_ISREG(file.stat().st_mode):
            return ""
        with file.open("rb") as opened:
            return opened.read(MAX_KNOWN_HOSTS).decode(errors="replace")
    except OSError:
        return ""

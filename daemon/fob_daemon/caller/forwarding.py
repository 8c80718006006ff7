"""Programs that pass on what another machine asks, through a socket that they forward (`ssh -R`, RFC 4254, 7)."""

from typing import Final

_SERVERS: Final = frozenset({"sshd", "sshd-session"})
_PROGRAMS: Final = _SERVERS | {"ssh"}


def forwards(program: str) -> bool:
    """True for a program that may speak for another machine."""
    return program in _PROGRAMS


def only_forwards(program: str) -> bool:
    """True for a program that asks for nothing itself."""
    return program in _SERVERS

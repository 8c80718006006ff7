"""Whether an `ssh` at the agent's socket logs in itself or passes on another machine's request (`ssh -R`, RFC 4254, 7).

The program is honest, who speaks through it need not be: so what counts is what the kernel shows of the process, not
what comes over its connection. As OpenSSH's client goes (sshconnect2.c, channels.c, ssh.c):
* it logs in once, in one session, before anything is forwarded;
* only what is forwarded goes through local sockets that do not block;
* it goes into the background (`-f`, ControlPersist) by a fork after its login: nothing that was forked and is still the
  same program logs in.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.agent.limits import MAX_LOGINS

# From /proc/<pid>/stat behind the name, which may have any letters: the 9th field, flags, and the 22nd, starttime.
_STAT: Final = re.compile(rb".*\) (?:\S+ ){6}(\d+) (?:\S+ ){12}(\d+) ", re.DOTALL)
_FORKED: Final = 0x40  # PF_FORKNOEXEC
_FLAGS: Final = re.compile(r"^flags:\s*([0-7]+)$", re.MULTILINE)
_LAST_STANDARD: Final = 2
_FAMILY: Final = "system.sockprotoname"
_LOCAL: Final = b"UNIX"  # or UNIX-STREAM, by the kernel's age


@dataclass(frozen=True, slots=True)
class SshProcess:
    """When it was started, in clock ticks since the machine was, and whether its own login is seen to be over."""

    started: int
    is_past_login: bool


def ssh_process(pid: int, proc: Path = Path("/proc")) -> SshProcess | None:
    """What the kernel shows of a process; None when it has ended.

    Of another user's process it shows the fork, not the sockets.
    """
    process = proc / str(pid)
    try:
        found = _STAT.match((process / "stat").read_bytes())
    except OSError:
        return None
    if found is None:
        return None
    is_forked = bool(int(found[1]) & _FORKED)
    passes_on = any(_is_channel(process, descriptor) for descriptor in _opened(process))
    return SshProcess(int(found[2]), is_forked or passes_on)


class OwnLogins:
    """Which session is an ssh's own: the first that it proves. At most MAX_LOGINS are known, the last ones."""

    def __init__(self, look_at: Callable[[int], SshProcess | None] = ssh_process) -> None:
        self._look_at = look_at
        self._sessions: dict[tuple[int, int], bytes] = {}

    def proved(self, pid: int, session_id: bytes) -> None:
        """The ssh has bound a connection to a session, for whatever purpose."""
        process = self._look_at(pid)
        if process is None:
            return
        # Pids are given again, the same one at the same time is not.
        self._sessions.setdefault((pid, process.started), session_id)
        if len(self._sessions) > MAX_LOGINS:
            del self._sessions[next(iter(self._sessions))]

    def is_own(self, pid: int, session_id: bytes) -> bool:
        """Whether a login of this session may be the process's own; not when it has ended."""
        process = self._look_at(pid)
        if process is None or process.is_past_login:
            return False
        return self._sessions.get((pid, process.started)) == session_id


def _opened(process: Path) -> Iterator[str]:
    """The descriptors that a program has opened itself; none when they are not shown."""
    try:
        descriptors = os.listdir(process / "fd")
    except OSError:
        return
    yield from (descriptor for descriptor in descriptors if int(descriptor) > _LAST_STANDARD)


def _is_channel(process: Path, descriptor: str) -> bool:
    """Whether it is a local socket that does not block."""
    try:
        family = os.getxattr(process / "fd" / descriptor, _FAMILY)
        flags = _FLAGS.search((process / "fdinfo" / descriptor).read_text())
    except OSError:  # no socket, or closed by now
        return False
    return family.startswith(_LOCAL) and flags is not None and bool(int(flags[1], 8) & os.O_NONBLOCK)

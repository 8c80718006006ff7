"""The program at the other end of a socket, with those that started it: `ssh`, `git`, `zsh`.

Read when a request comes, since a parent that ends leaves its children to another one.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.peer import PeerIdentity, program_arguments, program_name
from fob_protocol.caller import PROGRAMS_LIMIT

# What /proc/<pid>/status needs for its first lines, which are all that is read of it.
_STATUS_SIZE: Final = 1024

_INIT: Final = 1

# Where a person's work begins: what comes from here on is the same for all of it and says nothing of who asks.
SESSION_PROGRAMS: Final = frozenset(
    {
        *("systemd", "login", "sshd", "sshd-session", "cron", "crond", "dbus-daemon", "dbus-broker"),
        *("screen", "tmux", "tmux:", "conmon", "containerd-shim", "containerd-shim-runc-v2"),
        *("alacritty", "foot", "gnome-terminal-server", "kitty", "konsole", "wezterm-gui", "xfce4-terminal", "xterm"),
        *("gdm-session-worker", "lightdm", "sddm-helper", "Xorg", "sway", "weston"),
        *("gnome-session-binary", "gnome-shell", "kwin_wayland", "kwin_x11", "plasmashell", "xfce4-session"),
    }
)

# Programs that run other people's: `python3.11` says nothing, `fob (python3.11)` does.
_INTERPRETER: Final = re.compile(r"(?:bash|dash|fish|ksh|lua|node|perl|php|pypy|python|ruby|sh|tclsh|zsh)[\d.]*")

# Who started it, and whose it is by its effective uid.
_STATUS: Final = re.compile(rb"\nPPid:\t(\d+)\n.*\nUid:\t\d+\t(\d+)\t", re.DOTALL)


def program_chain(peer: PeerIdentity, proc: Path = Path("/proc")) -> tuple[str, ...]:
    """The peer's program first, then its ancestors of the same user, at most PROGRAMS_LIMIT.

    Ends before init, a login's or a desktop's programs, another user's process, and one that has ended; a peer that
    has ended is known by what it was when it connected.
    """
    return tuple(_programs(peer, proc)) or (peer.program,)


def _programs(peer: PeerIdentity, proc: Path) -> Iterator[str]:
    pid = peer.pid
    for depth in range(PROGRAMS_LIMIT):
        # Plain strings: a Path for each takes a quarter longer, and every signature waits for it.
        folder = f"{proc}/{pid}"
        found = _STATUS.search(_status(folder)) if pid > 0 else None
        if found is None or int(found[2]) != peer.uid:
            return
        program = program_name(folder)
        if depth and (pid == _INIT or program.partition(" ")[0] in SESSION_PROGRAMS):
            return
        yield _with_script(program, folder)
        pid = int(found[1])


def _with_script(program: str, process: str) -> str:
    """An interpreter behind the name of the script that it runs, if its first argument is one."""
    if _INTERPRETER.fullmatch(program):
        script = program_arguments(Path(process))[1:2]
        if script and script[0][:1] not in ("", "-"):
            return f"{os.path.basename(script[0])} ({program})"
    return program


def _status(process: str) -> bytes:
    """Its first lines; none when it has ended.

    The owner of the folder would say less: of a process that hides its memory, as agents do, that is root.
    """
    try:
        status = os.open(f"{process}/status", os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(status, _STATUS_SIZE)
    except OSError:
        return b""
    finally:
        os.close(status)

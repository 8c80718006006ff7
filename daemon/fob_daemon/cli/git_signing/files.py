"""The files beside git's settings: the program that git calls to sign, and whose signatures are good.

The third is the key (`signing_key`).
"""

import re
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.own_file import OwnFile

PROGRAM_NAME: Final = "fob-ssh-keygen"
SIGNERS_NAME: Final = "fob-allowed-signers"

# git swallows what its signer says while it waits, so the reminder goes to the terminal, where git still waits after a
# second: a phone that remembers its yes answers before. ssh-keygen takes this program's place, so that the phone shows
# `ssh-keygen <- git`.
_PROGRAM: Final = """\
#!/bin/sh
# Fob: ssh-keygen for git, at the phone's agent, from any shell. `fob git disable` removes this file.
SSH_AUTH_SOCK={agent}
export SSH_AUTH_SOCK
[ "$2" = sign ] || exec ssh-keygen "$@"
(sleep 1 && kill -0 $$ && echo "Look at your phone: git waits for a signature." >/dev/tty) </dev/null >/dev/null 2>&1 &
exec ssh-keygen "$@"
"""


_SIGNERS: Final = "# Fob: whose signatures git takes for good. `fob git disable` removes this file."

# As `signer` writes it.
_SIGNER: Final = re.compile(r'"([^\s"]+)" namespaces="git" ([\w@.-]+ [A-Za-z0-9+/]+=*)')


def own_file(path: Path, text: str, mode: int = files.PUBLIC, *, noted: Collection[str]) -> OwnFile:
    """A file of fob's that git's settings name; one that was emptied holds nothing of anybody's. Raises ControlError.

    `noted`: the values of the settings that fob has set.
    """
    found = files.read(path)
    is_empty = found is not None and not found.strip()
    return OwnFile(path, text, mode, is_known=is_empty or str(path) in noted)


def program_text(agent: str) -> str:
    """A program for gpg.ssh.program: ssh-keygen with the agent socket at `agent`."""
    return _PROGRAM.format(agent=shlex.quote(agent))


def signers_text(email: str, key: str, found: str | None = None) -> str:
    """A whole file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS).

    `found`: what is there, whose signers stay, so that the commits of an earlier key still have good signatures; of a
    file that is damaged those that are whole.
    """
    line = signer(email, key)
    first, *lines = (found or "").splitlines() or [""]
    found_whole = lines if first == _SIGNERS else [each for each in (first, *lines) if _SIGNER.fullmatch(each)]
    # The beginning of this very line is what is left of it in a file that was cut.
    kept = [each for each in found_whole if each == line or not line.startswith(each)]
    return "".join(f"{each}\n" for each in (_SIGNERS, *kept, *([] if line in kept else [line])))


def signer(email: str, key: str) -> str:
    """One line of it; `key` is its type and its base64."""
    return f'"{email}" namespaces="git" {key}'


def only_key_of(email: str, signers: str) -> str | None:
    """The one key whose signatures fob has made good for this address; None where there are several, or none."""
    found = {each[2] for line in signers.splitlines() if (each := _SIGNER.fullmatch(line)) and each[1] == email}
    return found.pop() if len(found) == 1 else None

"""The two files beside git's settings: the program that git calls to sign, and whose signatures are good."""

import shlex
from typing import Final

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


def program_text(agent: str) -> str:
    """A program for gpg.ssh.program: ssh-keygen with the agent socket at `agent`."""
    return _PROGRAM.format(agent=shlex.quote(agent))


def signers_text(email: str, key: str, found: str | None = None) -> str:
    """A whole file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS).

    `found`: what is there, whose signers stay, so that the commits of an earlier key still have good signatures.
    """
    line = signer(email, key)
    kept = found.splitlines()[1:] if found is not None and found.startswith(_SIGNERS) else []
    return "".join(f"{each}\n" for each in (_SIGNERS, *kept, *([] if line in kept else [line])))


def signer(email: str, key: str) -> str:
    """One line of it; `key` is its type and its base64."""
    return f'"{email}" namespaces="git" {key}'

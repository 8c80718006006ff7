"""Which key git signs with: the value of user.signingKey, the key itself or the name of a file with its public half."""

import re
from base64 import b64decode
from binascii import Error
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files

KEY_NAME: Final = "fob-signing-key.pub"

# A setting that holds the key itself and no file's name (git-config(1), user.signingKey). Of such a key git 2.39 leaves
# a copy in the folder for temporary files at every signature, so fob sets a name.
LITERAL: Final = "key::"
_OLD_LITERAL: Final = "ssh-"

# OpenSSH passes over a line like the first one (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
_MARK: Final = "# Fob: the key that git signs with. `fob git disable` removes this file."
_PUBLIC_HALF: Final = re.compile(r"^((?:ssh|ecdsa|sk)-[\w@.-]+) ([A-Za-z0-9+/]+=*)(?: |$)", re.MULTILINE)
_SSH_LENGTH: Final = 4


def key_text(key: str) -> str:
    """A whole file for `key`, its type and its base64."""
    return f"{_MARK}\n{key}\n"


def public_half(value: str) -> str | None:
    """The type and the base64 behind a value of user.signingKey; None where no whole key is. Raises ControlError."""
    if value.startswith((LITERAL, _OLD_LITERAL)):
        return " ".join(value.removeprefix(LITERAL).split()[:2])
    found = _PUBLIC_HALF.search(files.read(Path(value)) or "")
    return f"{found[1]} {found[2]}" if found is not None and _is_whole(found[2]) else None


def _is_whole(encoded: str) -> bool:
    """Nothing but strings, each behind its length in 4 octets (RFC 4251 section 5)."""
    try:
        rest = b64decode(encoded, validate=True)
    except Error:
        return False
    while len(rest) >= _SSH_LENGTH:
        end = _SSH_LENGTH + int.from_bytes(rest[:_SSH_LENGTH])
        if end > len(rest):
            return False
        rest = rest[end:]
    return not rest

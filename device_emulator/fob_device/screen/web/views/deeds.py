"""What a key does, as a title."""

from typing import Final

from fob_device.screen.web.words import first_upper
from fob_protocol.caller import Caller, Purpose
from fob_protocol.deeds import deed

# How the PC names a host of which it has only the key (`ssh-keygen -l`).
FINGERPRINT: Final = "SHA256:"


def has_unknown_host(caller: Caller) -> bool:
    """Whether nobody knows the host's name: a fingerprint is no title."""
    return caller.purpose is Purpose.LOGIN and caller.host.startswith(FINGERPRINT)


def title(operation: str, caller: Caller, key_label: str) -> str:
    """`Log in to github.com`; where that is one word, with the key. `key_label` is plain."""
    if has_unknown_host(caller):
        return "Log in to an unknown host"
    words = first_upper(deed(operation, caller))
    return words if " " in words else f"{words} with '{key_label}'"


def title_with_key(operation: str, caller: Caller, key_label: str) -> str:
    """`Log in to github.com with 'work'`."""
    words, key = title(operation, caller, key_label), f"with '{key_label}'"
    return words if words.endswith(key) else f"{words} {key}"

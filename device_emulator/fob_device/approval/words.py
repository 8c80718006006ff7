"""A question in words: for the screen, for the PC's narration, for lists of what was allowed."""

from typing import Final

from fob_protocol.at.values import encode_string
from fob_protocol.caller import Caller, Purpose
from fob_protocol.names import plain_name

# What a person reads at one glance; the middle of a longer text is left out, so that a host keeps both its ends.
HOST_SHOWN: Final = 64
CHAIN_SHOWN: Final = 128
LEFT_OUT: Final = "..."

# SSHSIG namespaces that have words of their own; whatever else is signed is named by its namespace.
SIGNED: Final = {"git": "a git commit", "file": "a file"}

FORWARDED: Final = ", from another machine (forwarded agent)"


def words_of(operation: str, key_label: str, pc_name: str, caller: Caller, count: int) -> str:
    """`log in to github.com with 'work' for ssh <- zsh on me@pc`; every character is plain."""
    pc = plain_name(pc_name)
    asker = f"{shortened(caller.chain, CHAIN_SHOWN)} on {pc}" if caller.programs else pc
    forwarded = FORWARDED if caller.is_forwarded else ""
    times = f", {count} times" if count > 1 else ""
    return f"{_deed(operation, caller)} with '{plain_name(key_label)}' for {asker}{forwarded}{times}"


def shortened(text: str, size: int) -> str:
    """`text` in at most `size` characters, its middle left out."""
    if len(text) <= size:
        return text
    head = (size - len(LEFT_OUT)) // 2
    tail = size - len(LEFT_OUT) - head
    return text[:head] + LEFT_OUT + text[-tail:]


def fitting(text: str, octets: int) -> str:
    """`text`, its end left out where it takes more than `octets` as an AT string."""
    if len(encode_string(text)) <= octets:
        return text
    end = len(text)
    while len(encode_string(text[:end] + LEFT_OUT)) > octets:
        end -= 1
    return text[:end] + LEFT_OUT


def _deed(operation: str, caller: Caller) -> str:
    """What the key does; only a signature has a purpose that the PC can know."""
    if operation != "sign":
        return operation
    match caller.purpose:
        case Purpose.LOGIN:
            return f"log in to {shortened(caller.host, HOST_SHOWN)}" if caller.host else "log in"
        case Purpose.SIGNATURE:
            return f"sign {SIGNED.get(caller.namespace) or _named(caller.namespace)}"
        case Purpose.TLS_CLIENT:
            return "log in as a TLS client"
        case Purpose.UNKNOWN:
            return "sign"


def _named(namespace: str) -> str:
    return f"data of '{namespace}'" if namespace else "data"

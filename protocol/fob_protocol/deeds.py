"""What a key does, in words that a person reads at one glance: on the phone's screen and in lists on the PC."""

from typing import Final

from fob_protocol.caller import Caller, Purpose

# The middle of a longer text is left out, so that a host keeps both its ends.
HOST_SHOWN: Final = 64
CHAIN_SHOWN: Final = 128
LEFT_OUT: Final = "..."

# SSHSIG namespaces that have words of their own; whatever else is signed is named by its namespace.
SIGNED: Final = {"git": "a git commit", "file": "a file"}

FORWARDED: Final = ", from another machine (forwarded agent)"


def deed(operation: str, caller: Caller) -> str:
    """`log in to github.com`; only a signature (`sign`) has a purpose that the PC can know."""
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


def asker(caller: Caller, pc: str) -> str:
    """`ssh <- zsh on me@pc`; the computer alone where nobody knows its program."""
    return f"{shortened(caller.chain, CHAIN_SHOWN)} on {pc}" if caller.programs else pc


def shortened(text: str, size: int) -> str:
    """`text` in at most `size` characters, its middle left out."""
    if len(text) <= size:
        return text
    head = (size - len(LEFT_OUT)) // 2
    tail = size - len(LEFT_OUT) - head
    return text[:head] + LEFT_OUT + text[-tail:]


def _named(namespace: str) -> str:
    return f"data of '{namespace}'" if namespace else "data"

"""What a key does, in words that a person reads at one glance: on the phone's screen and in lists on the PC."""

from collections.abc import Sequence
from typing import Final

from fob_protocol.caller import PROGRAM_SIZE, Caller, Purpose
from fob_protocol.names import shortened

# Characters of a host, and of a chain of programs with what stands between them.
HOST_SHOWN: Final = 64
CHAIN_SHOWN: Final = 128

# Between a program and the one that started it.
BY: Final = " <- "

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
    return f"{chain(caller)} on {pc}" if caller.programs else pc


def chain(caller: Caller) -> str:
    """`ssh <- git <- zsh` in CHAIN_SHOWN characters at most.

    The program that asks and the one that began it all are whole; of those between them the names are cut, all to one
    size, and none is left out: eight programs of the longest names leave six characters for each.
    """
    size = PROGRAM_SIZE
    while len(shown := BY.join(_cut_between(caller.programs, size))) > CHAIN_SHOWN:
        size -= 1
    return shown


def _cut_between(programs: Sequence[str], size: int) -> list[str]:
    last = len(programs) - 1
    return [shortened(name, size) if 0 < place < last else name for place, name in enumerate(programs)]


def _named(namespace: str) -> str:
    return f"data of '{namespace}'" if namespace else "data"

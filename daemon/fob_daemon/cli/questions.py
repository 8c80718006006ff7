"""Questions to the person at the terminal. The end of input is no answer, and never taken for one."""

import os
import select
import sys
from getpass import getpass
from typing import Final, Protocol

from fob_daemon.cli.output import Output, printable

# After so many words that are neither yes nor no, nobody sits there.
TRIES: Final = 5
_LINE_LIMIT: Final = 80

_ANSWERS: Final = {"y": True, "yes": True, "n": False, "no": False}

NOBODY: Final = "nobody answered: there is no terminal, or standard input is at its end"


class WithdrawnError(Exception):
    """Nobody waits for the answer any more."""


class Withdrawal(Protocol):
    """Withdraws a question as soon as its file descriptor can be read."""

    def fileno(self) -> int:
        """The file descriptor."""


def confirm(output: Output, question: str, withdrawal: Withdrawal | None = None) -> bool | None:
    """Yes or no; None when nobody answers. Raises WithdrawnError, KeyboardInterrupt."""
    for _ in range(TRIES):
        output.ask(f"{question} [y/n]: ")
        line = _read_line(withdrawal)
        if not line:
            break
        answer = _ANSWERS.get(line.decode(errors="replace").strip().lower())
        if answer is not None:
            return answer
    # The question's line is still open.
    output.say("")
    return None


def ask_pin(question: str) -> str | None:
    """What is typed in response, unseen; None when nobody answers. Raises KeyboardInterrupt."""
    try:
        return getpass(printable(f"{question}: ")) or None
    except EOFError:
        sys.stderr.write("\n")
        return None


def ask_line(output: Output, question: str, limit: int) -> str | None:
    """What is typed in response, without the spaces around it, of at most `limit` octets; None when nobody answers."""
    output.ask(question)
    line = _read_line(None, limit + len("\r\n"))
    if not line:
        # The question's line is still open.
        output.say("")
        return None
    return line.decode(errors="replace").strip()


def is_somebody_there() -> bool:
    """A terminal at standard input; it may also be closed."""
    return sys.stdin is not None and sys.stdin.isatty()


def _read_line(withdrawal: Withdrawal | None, limit: int = _LINE_LIMIT) -> bytes:
    """A line with its end; empty at the end of input. Raises WithdrawnError."""
    line = b""
    if sys.stdin is None:
        return line
    typed = sys.stdin.fileno()
    while len(line) < limit and not line.endswith(b"\n"):
        if withdrawal is not None and withdrawal in select.select((typed, withdrawal), (), ())[0]:
            raise WithdrawnError
        # One octet at a time: what stands behind the line belongs to whoever reads next.
        octet = os.read(typed, 1)
        if not octet:
            break
        line += octet
    return line

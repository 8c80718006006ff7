"""Questions to the person at the terminal. The end of input is no answer, and never taken for one."""

import sys
from getpass import getpass
from typing import Final

from fob_daemon.cli.output import Output, printable

# After so many words that are neither yes nor no, nobody sits there.
TRIES: Final = 5
_LINE_LIMIT: Final = 80

_ANSWERS: Final = {"y": True, "yes": True, "n": False, "no": False}

NOBODY: Final = "nobody answered: there is no terminal, or standard input is at its end"


def confirm(output: Output, question: str) -> bool | None:
    """Yes or no; None when nobody answers. Raises KeyboardInterrupt."""
    for _ in range(TRIES):
        output.ask(f"{question} [y/n]: ")
        line = _read_line()
        if not line:
            break
        answer = _ANSWERS.get(line.strip().lower())
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


def is_somebody_there() -> bool:
    """A terminal at standard input; it may also be closed."""
    return sys.stdin is not None and sys.stdin.isatty()


def _read_line() -> str:
    """A line with its end; empty at the end of input."""
    if sys.stdin is None:
        return ""
    return sys.stdin.buffer.readline(_LINE_LIMIT).decode(errors="replace")

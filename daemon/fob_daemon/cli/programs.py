"""Other programs that the command line runs: without a terminal or input, their words as text, never for ever."""

import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

# No check may hang, whatever it starts.
COMMAND_TIME: Final = 10.0


def run_program(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, seconds: float = COMMAND_TIME
) -> subprocess.CompletedProcess[str]:
    """How it ended, whatever its exit status. Raises OSError where it cannot be run, subprocess.TimeoutExpired."""
    return subprocess.run(  # noqa: S603 - the callers' own commands
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds,
        check=False,
    )


def output_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str | None:
    """What a program prints, None when it is missing, fails or hangs."""
    try:
        done = run_program(command, environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that a program said, of its errors if it said any; empty where it said nothing."""
    words = (done.stderr or done.stdout).strip().splitlines()
    return words[-1] if words else ""

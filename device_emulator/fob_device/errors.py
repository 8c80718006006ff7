"""Why fob-device does not start: three lines for the person who typed the command."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Final

import click

# As shells and click have it.
FAILED: Final = 1
USAGE: Final = 2


class StartError(Exception):
    """What is wrong, why, and the command that helps; one line each."""

    exit_code = FAILED

    def __init__(self, what: str, why: str, command: str) -> None:
        self.what = what
        self.why = why
        self.command = command
        super().__init__(f"{what}: {why}")

    @property
    def lines(self) -> str:
        """All three."""
        return f"error: {self.what}\nwhy:   {self.why}\ntry:   {self.command}"


@contextlib.contextmanager
def needs_radio_package(what: str) -> Iterator[None]:
    """Imports that need the extra `radio` (pyproject.toml). Raises StartError: `what` cannot be without it."""
    try:
        yield
    except ModuleNotFoundError as error:
        why = f"it needs the package '{error.name}', which is not installed"
        raise StartError(what, why, "pip install 'fobd[radio]'") from None


class UsageError(StartError):
    """What was typed makes no sense."""

    exit_code = USAGE


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What keeps a program from starting is told in three lines, and the exit status is 1, or 2 for a UsageError."""
    try:
        yield
    except StartError as error:
        click.echo(error.lines, err=True)
        sys.exit(error.exit_code)

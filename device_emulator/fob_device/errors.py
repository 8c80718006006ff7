"""Why fob-device does not start: three lines for the person who typed the command."""

import contextlib
import sys
from collections.abc import Iterator

import click


class StartError(Exception):
    """What is wrong, why, and the command that helps; one line each."""

    def __init__(self, what: str, why: str, command: str) -> None:
        self.what = what
        self.why = why
        self.command = command
        super().__init__(f"{what}: {why}")


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What keeps the phone from starting is told in three lines, and the exit status is 1."""
    try:
        yield
    except StartError as error:
        click.echo(f"error: {error.what}\nwhy:   {error.why}\ntry:   {error.command}", err=True)
        sys.exit(1)

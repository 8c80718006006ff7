"""What an operator is told when something cannot be done: what, why, and the command that helps; one line each."""

from typing import Final

# As shells and click have it.
FAILED: Final = 1
USAGE: Final = 2


class OperatorError(Exception):
    """Nothing was changed. No part of it ever holds a secret. `status` is what HTTP calls it."""

    exit_code = FAILED
    status = 409

    def __init__(self, what: str, why: str, command: str) -> None:
        self.what = what
        self.why = why
        self.command = command
        super().__init__(f"{what}: {why}")

    @property
    def lines(self) -> str:
        """All three."""
        return f"error: {self.what}\nwhy:   {self.why}\ntry:   {self.command}"


class NotFoundError(OperatorError):
    """There is none of this name."""

    status = 404


class UsageError(OperatorError):
    """What was asked for makes no sense."""

    exit_code = USAGE
    status = 422

"""An error that a person can act on: what happened, why, the next command. Light: the command line imports it."""

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """How `fob` ends (docs/cli.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    NO_DEVICE = 4
    REJECTED = 5
    TIMEOUT = 6
    NOTHING_TO_DO = 7
    # As shells count: 128 and the number of SIGINT, of SIGPIPE.
    INTERRUPTED = 130
    READER_GONE = 141


# What HTTP calls the same thing; the rest never gets there.
_STATUS: Final = {
    ExitCode.OK: 200,
    ExitCode.FAILED: 422,
    ExitCode.USAGE: 400,
    ExitCode.UNREACHABLE: 503,
    ExitCode.NO_DEVICE: 404,
    ExitCode.REJECTED: 403,
    ExitCode.TIMEOUT: 504,
    ExitCode.NOTHING_TO_DO: 409,
}

# Precondition Required: the same request with a `pin` may work.
PIN_NEEDED_STATUS: Final = 428
# Locked: the same request works when another program is done.
BUSY_STATUS: Final = 423


class ControlError(Exception):
    """Something was asked for and not done. No field ever holds a secret."""

    def __init__(
        self,
        what: str,
        why: str,
        next_command: str,
        exit_code: ExitCode = ExitCode.FAILED,
        *,
        status: int | None = None,
    ) -> None:
        self.what = what
        self.why = why
        self.next_command = next_command
        self.exit_code = exit_code
        self.status = status or _STATUS.get(exit_code, 500)
        super().__init__(f"{what}: {why}")

    def to_json(self) -> dict[str, str | int]:
        """The `error` object of an answer."""
        return {"what": self.what, "why": self.why, "next": self.next_command, "exit_code": int(self.exit_code)}


def daemon_fault(what: str, fault: BaseException) -> ControlError:
    """`what` was not done because of a mistake of ours. Its text may hold what a client sent, so it stays out."""
    why = f"a fault in the daemon ({type(fault).__name__})"
    return ControlError(what, why, "journalctl --user -u fobd", ExitCode.FAILED, status=500)

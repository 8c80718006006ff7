"""How a run of `fob` ends: every exception that gets so far, as an error of three lines and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Final

import click

from fob_daemon.cli.output import ReaderGoneError, not_written
from fob_daemon.control.errors import ControlError, ExitCode

PROGRAM: Final = "fob"

INTERRUPTED: Final = ControlError(
    "interrupted", "by Ctrl-C; a question on the phone is withdrawn", "fob status", ExitCode.INTERRUPTED
)


def error_for(reason: BaseException) -> ControlError:
    """What the person is told. A fault of this program names its place, for whoever mends it, and no value."""
    match reason:
        case ControlError():
            return reason
        case click.UsageError():
            return _usage_error(reason)
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED
        case OSError():
            why = reason.strerror or str(reason)
            if _is_of_help(reason):
                return not_written(why)
            return ControlError(
                f"{PROGRAM} could not go on", f"{reason.filename}: {why}" if reason.filename else why, "fob doctor"
            )
    return ControlError(
        f"{PROGRAM} could not go on", f"a fault in this program: {type(reason).__name__}{_place(reason)}", "fob doctor"
    )


@contextmanager
def reader_gone() -> Iterator[None]:
    """Raises ReaderGoneError where nobody reads what click itself prints: help, version, what completes a word."""
    try:
        yield
    except BrokenPipeError as fault:
        if _is_of_help(fault):
            raise ReaderGoneError from None
        raise


def _usage_error(error: click.UsageError) -> ControlError:
    context = error.ctx
    usage = context.get_usage().removeprefix("Usage: ") if context else f"{PROGRAM} COMMAND"
    command = context.command_path if context else PROGRAM
    what = error.format_message().replace("\n", " ").strip()
    return ControlError(what, f"the usage is: {' '.join(usage.split())}", f"{command} --help", ExitCode.USAGE)


def _is_of_help(fault: OSError) -> bool:
    """click writes the help itself; all else that is written goes through Output, which knows."""
    frames = extract_tb(fault.__traceback__)
    return bool(frames) and frames[-1].name == click.echo.__name__


def _place(fault: BaseException) -> str:
    frames = extract_tb(fault.__traceback__)
    return f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""

"""What this computer refuses by itself about meters, as errors for a person."""

from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.metering.jobs import Job
from fob_daemon.metering.limits import RESUME

_STATUS: Final = "fob meter status"


def unfinished(job: Job) -> ControlError:
    """A batch was cut, and another one is wanted."""
    why = f"of an earlier batch {job.done:,} of {job.total:,} pieces are franked and paid"
    return ControlError("nothing was franked", why, f"{RESUME}    (or --give-up)", ExitCode.FAILED)


def no_job(what: str) -> ControlError:
    """None is kept that is like that."""
    return ControlError(what, "no batch waits to go on", _STATUS, ExitCode.NOTHING_TO_DO)


def not_added(why: str) -> ControlError:
    """Of pieces."""
    return ControlError("nothing was franked", why, "the same command with other pieces", ExitCode.USAGE)


def no_cleansing(command: str) -> ControlError:
    """An optional component is not there."""
    why = f"no component of the device has {command}, so addresses are not written out"
    return ControlError("nothing was franked", why, "the same command without --cleanse", ExitCode.FAILED)


def not_kept(counter: int) -> ControlError:
    """Neither here nor at the data centre."""
    why = f"transaction {counter} franked nothing, or is not this meter's"
    return ControlError("there are no such indicia", why, "fob meter history", ExitCode.NOTHING_TO_DO)


def no_piece(counter: int, count: int) -> ControlError:
    """Of a transaction with fewer."""
    why = f"transaction {counter} has pieces 1 to {count}"
    return ControlError("nothing was given back", why, "fob meter history", ExitCode.USAGE)


def nothing_to_take() -> ControlError:
    """The device keeps no order."""
    return ControlError("nothing was taken over", "the device keeps no result", _STATUS, ExitCode.NOTHING_TO_DO)


def file_unusable(path: str, why: str) -> ControlError:
    """What this computer keeps of the meter; what the device keeps is not lost."""
    return ControlError("the meter was not used", f"{path}: {why}", f"ls -l {path}; df {path}", ExitCode.FAILED)

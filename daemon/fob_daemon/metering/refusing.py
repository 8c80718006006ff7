"""What this computer refuses by itself about meters, as errors for a person."""

from typing import Final

from fob_daemon.control.errors import BUSY_STATUS, ControlError, ExitCode
from fob_daemon.metering.jobs import Job
from fob_daemon.metering.limits import RESUME, UNITS
from fob_daemon.metering.views import MeterState
from fob_protocol.metering.amounts import amount_words

_STATUS: Final = "fob meter status"
NOT_REPLACED: Final = "the meter was not replaced"
_IN_A_MOMENT: Final = "the same command in a moment"
_BATCH_AGAIN: Final = "the same command with the piece mended; nothing of the batch is kept"


def unfinished(job: Job, what: str = "nothing was franked") -> ControlError:
    """A batch was cut, and another one, or another meter, is wanted."""
    why = f"of an earlier batch {job.done:,} of {job.total:,} pieces are franked and paid"
    return ControlError(what, why, f"{RESUME}    (or --give-up)", ExitCode.FAILED)


def being_written(words: str, pid: int) -> ControlError:
    """By a program that has opened a batch, and is not done with it."""
    why = f"another batch is being franked here, by {words} (process {pid})"
    return ControlError("nothing was franked", why, _IN_A_MOMENT, ExitCode.FAILED, status=BUSY_STATUS)


def not_open() -> ControlError:
    """Nothing of it was paid, or it is being franked."""
    why = "nothing is added to this batch any more: it is franked, or another one was begun since"
    return ControlError("nothing was franked", why, "the same command again", ExitCode.FAILED, status=404)


def has_meter(state: MeterState) -> ControlError:
    """Another mailer's meter is on the device."""
    left = amount_words(state.value_kind or UNITS, state.descending)
    why = f"meter {state.serial} of {state.name} is on the device, with {left} left, which only {state.name} can use"
    return ControlError(NOT_REPLACED, why, "the same command with --replace", ExitCode.FAILED)


class PieceError(ControlError):
    """One piece of a batch would be refused, so none is paid. `place` counts from 0; `fault` is for a person."""

    def __init__(self, place: int, count: int, column: str, fault: str) -> None:
        self.place = place
        self.column = column
        self.fault = fault
        why = f"piece {place + 1:,} of {count:,} ({column}): {fault}"
        super().__init__("nothing was franked", why, _BATCH_AGAIN, ExitCode.USAGE)

    def to_json(self) -> dict[str, str | int]:
        """With the piece, for who knows on which line it stands."""
        return {**ControlError.to_json(self), "place": self.place, "column": self.column, "fault": self.fault}


def too_dear(total: str, left: str) -> ControlError:
    """A batch for which a day has no room any more."""
    why = f"the batch costs {total}, and the meter's limit leaves {left} for today"
    return ControlError("nothing was franked", why, "fob meter status --ask    (it has the limits)", ExitCode.FAILED)


def no_job(what: str, *, is_any_paid: bool = False) -> ControlError:
    """None is kept that is like that."""
    deed = "fob meter print LAST    (what is paid is kept)" if is_any_paid else _STATUS
    return ControlError(what, "no batch waits to go on", deed, ExitCode.NOTHING_TO_DO)


def no_meter() -> ControlError:
    """Nobody has signed up or on here."""
    deed = "fob meter sign-up NAME --origin POSTCODE, or fob meter sign-on NAME"
    return ControlError("nothing was franked", "the device has no meter", deed, ExitCode.NOTHING_TO_DO)


def other_meter(job: Job, state: MeterState) -> ControlError:
    """A batch is its own meter's, and another mailer has signed on since."""
    why = f"the batch is meter {job.serial}'s, and the device has {state.serial} of {state.name}"
    deed = f"fob meter sign-on with the name of {job.serial}, and then: {RESUME}    (or --give-up)"
    return ControlError("nothing was franked", why, deed, ExitCode.FAILED)


def not_added(why: str) -> ControlError:
    """Of pieces."""
    return ControlError("nothing was franked", why, "the same command with other pieces", ExitCode.USAGE)


def no_cleansing(command: str) -> ControlError:
    """An optional component is not there."""
    why = f"no component of the device has {command}, so addresses are not written out"
    return ControlError("nothing was franked", why, "the same command without --cleanse", ExitCode.FAILED)


def not_kept(counter: int, serial: str) -> ControlError:
    """Neither here nor at the data centre."""
    why = f"transaction {counter} franked nothing, or is not meter {serial}'s"
    return ControlError("there are no such indicia", why, "fob meter history", ExitCode.NOTHING_TO_DO)


def kept_elsewhere(counter: int, serial: str, state: MeterState) -> ControlError:
    """Only the meter's own device could fetch it."""
    why = f"transaction {counter} of meter {serial} is not kept here, and the device has {state.serial or 'none'}"
    deed = f"fob meter sign-on with the name of {serial}, and then the same command again"
    return ControlError("there are no such indicia", why, deed, ExitCode.NOTHING_TO_DO)


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

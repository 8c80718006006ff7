"""What it means to a person that something was not done with a meter: with the next command."""

from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import DaemonView, DeviceReport
from fob_daemon.control.meter_advice import GOES_ON, NOT_ADMITTED, OTHERWISE, Doing, helped
from fob_daemon.control.office_refusals import Unknown, office_refused
from fob_daemon.control.office_reports import RelayReport
from fob_daemon.metering.clock_words import ahead_words, set_clock
from fob_protocol.metering.faults import MeterFault
from fob_protocol.names import plain_name
from fob_protocol.office.limits import REFUSAL_LIMIT
from fob_protocol.office.refusals import Refusal
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

_SIGN_ON: Final = "ask who runs the data centre, and then: fob meter sign-on NAME"
_STATUS: Final = "fob meter status"
_HISTORY: Final = "fob meter history"
# By the names of docs/protocol.md, section 4.4: what the device found wrong.
FAULTS: Final[dict[str, tuple[str, str]]] = {
    MeterFault.WRONG_SIGNATURE: ("the data centre's answer is signed by nobody who may", _SIGN_ON),
    MeterFault.WRONG_REQUEST: ("the data centre's answer is about another request", _SIGN_ON),
    MeterFault.WRONG_METER: ("the data centre's answer is about another meter", _SIGN_ON),
    MeterFault.WRONG_DEED: ("the data centre did something that was not asked for", _SIGN_ON),
    MeterFault.WRONG_COUNTER: ("the data centre's answer does not go on from where the meter was", _SIGN_ON),
    MeterFault.WRONG_FEE: ("the data centre asks another price for signing up than it named", _SIGN_ON),
    MeterFault.WRONG_AMOUNT: ("the data centre charged another amount than was asked for", _SIGN_ON),
    MeterFault.WRONG_PIECES: ("the indicia are not those that were asked for", _SIGN_ON),
    MeterFault.WRONG_INTEGRITY: ("the data centre noted another integrity value than was shown", _SIGN_ON),
    MeterFault.UNLAWFUL: ("the data centre's registers do not add up", _SIGN_ON),
    MeterFault.BROKEN_CHAIN: ("the data centre's transactions do not continue one another", _SIGN_ON),
    MeterFault.UNKNOWN_FRANK: ("the meter franked what this device did not ask for", _SIGN_ON),
    MeterFault.DONE_TWICE: ("the meter did twice what this device asked once", _SIGN_ON),
    MeterFault.LOG_REWRITTEN: ("the data centre's log is not the one it was", _SIGN_ON),
    MeterFault.NO_ACCOUNT: (
        "the device has no meter",
        "fob meter sign-up NAME --origin POSTCODE, or fob meter sign-on NAME",
    ),
    MeterFault.OTHER_METER: ("another mailer has signed on from the device meanwhile", _STATUS),
    MeterFault.NOT_TAKEN: ("the device keeps a result for another computer", "there, or: fob meter take-over"),
    MeterFault.ASKING: ("what became of the last order is not known yet", "the same command in a moment"),
    MeterFault.CLOCK_AHEAD: ("the device's clock is ahead of its office's", "set the device's clock"),
    MeterFault.ID_USED: ("this order is over: its result was taken elsewhere, or a sign-on ended it", _HISTORY),
}
_NOT_TAKEN: Final = "the device does not take what was asked for"
_BY_NAME: Final = frozenset({Ckr.FUNCTION_REJECTED, Ckr.GENERAL_ERROR})
# What does not mend anything by itself: what was begun is gone on with.
_NO_MENDING: Final = ("the same command", "fob status", _STATUS)


def meter_refused(
    what: str, error: CkrError, daemon: DaemonView, device: DeviceReport, relay: RelayReport | None, doing: Doing
) -> ControlError:
    """`what` was not done because of `error`."""
    name, _, detail = (part.strip() for part in error.reason.partition(":"))
    if error.ckr is Ckr.GENERAL_ERROR and name == MeterFault.CLOCK_AHEAD and detail:
        return _clock_ahead(what, device.name, detail, GOES_ON.get(doing, "the same command again"))
    if error.ckr is Ckr.GENERAL_ERROR and name in FAULTS:
        words, deed = FAULTS[name]
        return ControlError(what, f"{words} ({name})", deed, ExitCode.FAILED)
    if error.ckr is Ckr.FUNCTION_NOT_SUPPORTED:
        why = f"'{device.name}' has no meter (CKR_{error.ckr.name})"
        return ControlError(what, why, "fob office status", ExitCode.FAILED)
    if error.ckr is Ckr.FUNCTION_REJECTED and name == Refusal.NOT_VALIDATED and detail:
        why = f"{NOT_ADMITTED[0]}: {plain_name(detail, REFUSAL_LIMIT)} ({name})"
        return ControlError(what, why, NOT_ADMITTED[1], ExitCode.FAILED)
    found = helped(doing, name) if error.ckr in _BY_NAME else None
    if found is not None:
        words, deed = found
        # The data centre's own words, as the device passed them on.
        said = f": {plain_name(detail, REFUSAL_LIMIT)}" if detail else ""
        return ControlError(what, f"{words}{said} ({name})", deed, ExitCode.FAILED)
    refusal = office_refused(what, error, daemon, device, relay, Unknown(_NOT_TAKEN, OTHERWISE.get(doing, _STATUS)))
    return refusal if error.ckr is Ckr.ARGUMENTS_BAD else _going_on(refusal, GOES_ON.get(doing, ""))


def _clock_ahead(what: str, device: str, detail: str, again: str) -> ControlError:
    """`detail`: seconds, and the name of what the clock made over, or too late. Nobody else can mend it."""
    seconds, _, name = detail.partition(" ")
    off = int(seconds) if seconds.isascii() and seconds.isdecimal() else 0
    why = f"{ahead_words(device, off)} ({plain_name(name, REFUSAL_LIMIT)})"
    return ControlError(what, why, f"{set_clock(device)}, and then: {again}", ExitCode.FAILED)


def _going_on(refusal: ControlError, again: str) -> ControlError:
    """With what is to be done behind what mends it."""
    if not again:
        return refusal
    deed = refusal.next_command
    mends = not deed.startswith(_NO_MENDING)
    return ControlError(
        refusal.what, refusal.why, f"{deed}, and then: {again}" if mends else again, refusal.exit_code,
        status=refusal.status,
    )  # fmt: skip

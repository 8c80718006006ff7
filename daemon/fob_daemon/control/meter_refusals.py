"""What it means to a person that something was not done with a meter: with the next command."""

from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import DaemonView, DeviceReport
from fob_daemon.control.office_refusals import Unknown, office_refused
from fob_daemon.control.office_reports import RelayReport
from fob_protocol.metering.faults import MeterFault
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

_SIGN_ON: Final = "ask who runs the data centre, and then: fob meter sign-on NAME"
_STATUS: Final = "fob meter status"
# By the names of docs/protocol.md, section 4.4: what the device found wrong.
FAULTS: Final[dict[str, tuple[str, str]]] = {
    MeterFault.WRONG_SIGNATURE: ("the data centre's answer is signed by nobody who may", _SIGN_ON),
    MeterFault.WRONG_REQUEST: ("the data centre's answer is about another request", _SIGN_ON),
    MeterFault.WRONG_METER: ("the data centre's answer is about another meter", _SIGN_ON),
    MeterFault.WRONG_DEED: ("the data centre did something that was not asked for", _SIGN_ON),
    MeterFault.WRONG_COUNTER: ("the data centre's answer does not go on from where the meter was", _SIGN_ON),
    MeterFault.WRONG_AMOUNT: ("the data centre charged another amount than was asked for", _SIGN_ON),
    MeterFault.WRONG_PIECES: ("the indicia are not those that were asked for", _SIGN_ON),
    MeterFault.WRONG_INTEGRITY: ("the data centre noted another integrity value than was shown", _SIGN_ON),
    MeterFault.UNLAWFUL: ("the data centre's registers do not add up", _SIGN_ON),
    MeterFault.BROKEN_CHAIN: ("the data centre's transactions do not continue one another", _SIGN_ON),
    MeterFault.UNKNOWN_FRANK: ("the meter franked what this device did not ask for", _SIGN_ON),
    MeterFault.LOG_REWRITTEN: ("the data centre's log is not the one it was", _SIGN_ON),
    MeterFault.NO_ACCOUNT: ("the device has no meter", "fob meter sign-up NAME, or fob meter sign-on NAME"),
    MeterFault.NOT_TAKEN: ("the device keeps a result for another computer", "there, or: fob meter take-over"),
    MeterFault.ASKING: ("what became of the last order is not known yet", "the same command in a moment"),
    MeterFault.ID_USED: ("this order is over: its result was taken elsewhere, or a sign-on ended it", _STATUS),
}
_NO_SUCH: Final = Unknown("the device does not take what was asked for", _STATUS)


def meter_refused(
    what: str, error: CkrError, daemon: DaemonView, device: DeviceReport, relay: RelayReport | None, again: str = ""
) -> ControlError:
    """`what` was not done because of `error`. `again`: how what was begun goes on, where it can."""
    name = error.reason.partition(":")[0].strip()
    if error.ckr is Ckr.GENERAL_ERROR and name in FAULTS:
        words, deed = FAULTS[name]
        return ControlError(what, f"{words} ({name})", deed, ExitCode.FAILED)
    if error.ckr is Ckr.FUNCTION_NOT_SUPPORTED:
        why = f"'{device.name}' has no meter (CKR_{error.ckr.name})"
        return ControlError(what, why, "fob office status", ExitCode.FAILED)
    refusal = office_refused(what, error, daemon, device, relay, _NO_SUCH)
    if not again:
        return refusal
    deed = refusal.next_command
    is_own = deed.startswith("fob ") and deed != _STATUS and not deed.startswith("fob status")
    return ControlError(
        refusal.what, refusal.why, f"{deed}, and then: {again}" if is_own else again, refusal.exit_code,
        status=refusal.status,
    )  # fmt: skip

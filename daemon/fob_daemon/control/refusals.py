"""What a CKR means to a person at the command line: an exit code, words, the next command. One table."""

from dataclasses import dataclass
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.device.away import AwayError
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


@dataclass(frozen=True, slots=True)
class Meaning:
    """One CKR's."""

    exit_code: ExitCode
    why: str
    next_command: str


_AGAIN: Final = "the same command again"
_AWAY: Final = Meaning(ExitCode.NO_DEVICE, "the device is away", "fob status")
_UNKNOWN_TYPE: Final = Meaning(ExitCode.FAILED, "the device has no such kind of key", "fob keys new --help")

MEANINGS: Final = {
    Ckr.FUNCTION_REJECTED: Meaning(ExitCode.REJECTED, "the person said no on the phone", _AGAIN),
    Ckr.FUNCTION_CANCELED: Meaning(ExitCode.TIMEOUT, "nobody answered on the phone in time", _AGAIN),
    Ckr.DEVICE_REMOVED: _AWAY,
    Ckr.TOKEN_NOT_PRESENT: _AWAY,
    Ckr.SLOT_ID_INVALID: Meaning(ExitCode.NO_DEVICE, "the device was unpaired meanwhile", "fob devices"),
    Ckr.DEVICE_ERROR: Meaning(
        ExitCode.FAILED, "the link was lost; whether the device did it is not known", "fob keys list"
    ),
    Ckr.DEVICE_MEMORY: Meaning(ExitCode.FAILED, "the device is full", "fob keys list"),
    Ckr.PIN_INCORRECT: Meaning(ExitCode.FAILED, "the PIN is wrong", "fob status    (shows how many tries are left)"),
    Ckr.PIN_INVALID: Meaning(ExitCode.FAILED, "the device does not take such a PIN", _AGAIN),
    Ckr.PIN_LEN_RANGE: Meaning(ExitCode.FAILED, "the PIN is too short or too long", _AGAIN),
    Ckr.PIN_LOCKED: Meaning(
        ExitCode.FAILED,
        "the PIN is locked after too many wrong ones; the security officer's PIN sets a new one",
        "pkcs11-tool --module p11-kit-client.so --login --login-type so --init-pin",
    ),
    Ckr.USER_PIN_NOT_INITIALIZED: Meaning(
        ExitCode.FAILED,
        "the device has no PIN yet; the security officer's PIN sets one",
        "pkcs11-tool --module p11-kit-client.so --login --login-type so --init-pin",
    ),
    Ckr.MECHANISM_INVALID: _UNKNOWN_TYPE,
    Ckr.KEY_SIZE_RANGE: _UNKNOWN_TYPE,
    Ckr.CURVE_NOT_SUPPORTED: _UNKNOWN_TYPE,
    Ckr.ACTION_PROHIBITED: Meaning(ExitCode.FAILED, "the device does not allow it for this key", "fob keys list"),
}


def refused(what: str, error: CkrError) -> ControlError:
    """`what` was not done, because of `error`; its CKR always stands in the text."""
    known = _AWAY if isinstance(error, AwayError) else MEANINGS.get(error.ckr)
    meaning = known or Meaning(ExitCode.FAILED, "the device refused", "fob log -n 5")
    detail = f"CKR_{error.ckr.name}" + (f": {error.reason}" if error.reason else "")
    return ControlError(what, f"{meaning.why} ({detail})", meaning.next_command, meaning.exit_code)

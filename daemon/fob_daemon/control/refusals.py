"""What a CKR means to a person at the command line: an exit code, words, the next command. One table."""

from dataclasses import dataclass
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import DaemonView, DeviceReport, DeviceState
from fob_daemon.device.away import AwayError
from fob_daemon.link.fate import FateUnknownError
from fob_daemon.link.unpaired import UnpairedError
from fob_daemon.p11_kit import SET_PIN, pkcs11_tool
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag


@dataclass(frozen=True, slots=True)
class Meaning:
    """One CKR's. `tool`: the next command is pkcs11-tool with these arguments."""

    exit_code: ExitCode
    why: str
    next_command: str = ""
    tool: str = ""


_AGAIN: Final = "the same command again"
_AWAY: Final = Meaning(ExitCode.NO_DEVICE, "the device is away", "fob status")
_CONNECTING: Final = Meaning(ExitCode.NO_DEVICE, "the device is not connected yet", "fob status    (in a moment)")
_UNPAIRED: Final = Meaning(ExitCode.NO_DEVICE, "the device was unpaired meanwhile", "fob devices")
_FATE_UNKNOWN: Final = Meaning(ExitCode.FAILED, "whether the device did it is not known", "fob keys list")
_UNKNOWN_TYPE: Final = Meaning(ExitCode.FAILED, "the device has no such kind of key", "fob keys new --help")

MEANINGS: Final = {
    Ckr.FUNCTION_REJECTED: Meaning(ExitCode.REJECTED, "the person said no on the phone", _AGAIN),
    Ckr.FUNCTION_CANCELED: Meaning(ExitCode.TIMEOUT, "nobody answered on the phone in time", _AGAIN),
    Ckr.DEVICE_REMOVED: _AWAY,
    Ckr.TOKEN_NOT_PRESENT: _AWAY,
    Ckr.SLOT_ID_INVALID: _UNPAIRED,
    Ckr.DEVICE_ERROR: Meaning(ExitCode.FAILED, "the device failed", _AGAIN),
    Ckr.DEVICE_MEMORY: Meaning(ExitCode.FAILED, "the device is full", "fob keys list"),
    Ckr.PIN_INCORRECT: Meaning(ExitCode.FAILED, "the PIN is wrong", _AGAIN),
    Ckr.PIN_INVALID: Meaning(ExitCode.FAILED, "the device does not take such a PIN", _AGAIN),
    Ckr.PIN_LEN_RANGE: Meaning(ExitCode.FAILED, "the PIN is too short or too long", _AGAIN),
    Ckr.PIN_LOCKED: Meaning(
        ExitCode.FAILED,
        "the PIN is locked after too many wrong ones; the security officer's PIN sets a new one",
        tool=SET_PIN,
    ),
    Ckr.USER_NOT_LOGGED_IN: Meaning(ExitCode.FAILED, "the device is locked", "fob unlock"),
    Ckr.USER_PIN_NOT_INITIALIZED: Meaning(
        ExitCode.FAILED,
        "the device has no PIN yet; the security officer's PIN sets one",
        tool=SET_PIN,
    ),
    Ckr.MECHANISM_INVALID: _UNKNOWN_TYPE,
    Ckr.KEY_SIZE_RANGE: _UNKNOWN_TYPE,
    Ckr.CURVE_NOT_SUPPORTED: _UNKNOWN_TYPE,
    Ckr.ACTION_PROHIBITED: Meaning(ExitCode.FAILED, "the device does not allow it for this key", "fob keys list"),
}


# What a wrong PIN has left behind, by the token's flags; the device tells no number (PKCS#11 v2.40, CK_TOKEN_INFO).
_WRONG_PINS: Final = {
    TokenFlag.USER_PIN_LOCKED: Meaning(
        ExitCode.FAILED, "the PIN is wrong, and now locked; the security officer's PIN sets a new one", tool=SET_PIN
    ),
    TokenFlag.USER_PIN_FINAL_TRY: Meaning(ExitCode.FAILED, "the PIN is wrong, and the next wrong one locks it", _AGAIN),
}


def refused(what: str, error: CkrError, daemon: DaemonView, slot: int) -> ControlError:
    """`what` was not done at the device of `slot`, because of `error`; its CKR always stands in the text."""
    status = daemon.status()
    device = next((device for device in status.devices if device.slot == slot), None)
    meaning = _meaning(error, device.token_flags if device else TokenFlag(0))
    detail = f"CKR_{error.ckr.name}" + (f": {error.reason}" if error.reason else "")
    if meaning is _AWAY and device is not None and device.state is DeviceState.CONNECTING:
        meaning, detail = _CONNECTING, f"CKR_{error.ckr.name}"
    next_command = _next_command(meaning, device, status.provider_socket)
    return ControlError(what, f"{meaning.why} ({detail})", next_command, meaning.exit_code)


def _next_command(meaning: Meaning, device: DeviceReport | None, provider: str) -> str:
    if meaning.tool:
        return pkcs11_tool(provider, device.label if device else "", meaning.tool)
    if meaning is _AWAY and device is not None and device.next:
        # The link knows what brings it back.
        return device.next
    return meaning.next_command


def _meaning(error: CkrError, flags: TokenFlag) -> Meaning:
    if isinstance(error, AwayError):
        return _AWAY
    if isinstance(error, UnpairedError):
        return _UNPAIRED
    if isinstance(error, FateUnknownError):
        return _FATE_UNKNOWN
    if error.ckr is Ckr.PIN_INCORRECT:
        for flag, meaning in _WRONG_PINS.items():
            if flag in flags:
                return meaning
    return MEANINGS.get(error.ckr) or Meaning(ExitCode.FAILED, "the device refused", "fob log -n 5")

"""What a device's refusal means where its back office has a part in it."""

from dataclasses import dataclass
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.interface import DaemonView, DeviceReport
from fob_daemon.control.office_reports import RelayReport
from fob_daemon.control.office_words import refusal_named
from fob_daemon.control.refusals import refused
from fob_daemon.link.fate import FateUnknownError
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.relay import RelayStatus

_BY_NAME: Final = frozenset({Ckr.FUNCTION_REJECTED, Ckr.GENERAL_ERROR})
# What a device says whose questions come to nothing: it has no answer of the office's to go by.
_UNANSWERED: Final = frozenset({Ckr.FUNCTION_CANCELED, Ckr.GENERAL_ERROR, Ckr.FUNCTION_FAILED})
RESULTS: Final = {status: status.name.lower().replace("_", "-") for status in RelayStatus}
_AGAIN: Final = "the same command again; it goes on where it was"
# Names of refusals that this computer's own relay explains better.
_OF_RELAY: Final = frozenset(RESULTS.values()) | {"unavailable"}


@dataclass(frozen=True, slots=True)
class Unknown:
    """What it means that the device has no such thing, and the next command."""

    why: str
    next: str


def office_refused(
    what: str,
    error: CkrError,
    daemon: DaemonView,
    device: DeviceReport,
    relay: RelayReport | None,
    unknown: Unknown | None = None,
    subject: str = "",
) -> ControlError:
    """`what` was not done because of `error`; `relay` is the device's, `subject` the server or program it is about.

    `unknown` says what CKR_ARGUMENTS_BAD means where the device says nothing of it.
    """
    if isinstance(error, FateUnknownError):
        # Every question to an office may be repeated, and the device keeps what it has begun.
        why = f"the link was lost, and nothing with it (CKR_{error.ckr.name})"
        return ControlError(what, why, _AGAIN, ExitCode.FAILED)
    named = refusal_named(error.reason, subject) if error.ckr in _BY_NAME else None
    if named is not None and named[0] not in _OF_RELAY:
        name, words, deed = named
        return ControlError(what, f"{words} ({name})", deed, ExitCode.FAILED)
    if error.ckr is Ckr.FUNCTION_NOT_SUPPORTED:
        why = f"'{device.name}' has no such command: it has no back office, or runs no option with it"
        return ControlError(what, f"{why} (CKR_{error.ckr.name})", "fob options list", ExitCode.FAILED)
    if unknown is not None and error.ckr is Ckr.ARGUMENTS_BAD:
        why = error.reason or unknown.why
        return ControlError(what, f"{why} (CKR_{error.ckr.name})", unknown.next, ExitCode.FAILED)
    if error.ckr in _UNANSWERED and relay is not None and relay.why:
        return ControlError(what, f"the office did not answer: {relay.why}", _mend(relay), ExitCode.FAILED)
    if named is not None:
        return ControlError(what, f"{named[1]} ({named[0]})", named[2], ExitCode.FAILED)
    return refused(what, error, daemon, device.slot)


def _mend(relay: RelayReport) -> str:
    """Where no office is configured, that is what to do."""
    is_configured = relay.result != RESULTS[RelayStatus.NO_OFFICE]
    return "fob doctor" if is_configured else "set [office] url in fobd.toml (docs/configuration.md), restart fobd"

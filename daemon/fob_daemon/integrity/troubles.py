"""What keeps a VAL_OK from coming, or from being kept: what each error says of the office, and its name for people."""

from http import HTTPStatus
from typing import Final

from fob_daemon.integrity.asking import NotAskedError
from fob_daemon.integrity.keeper import OtherReleaseError
from fob_daemon.integrity.own_program import UnreadableError
from fob_daemon.integrity.words import NOT_KEPT, OTHER_RELEASE, UNREADABLE
from fob_daemon.permissions import PermissionsError
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal

TROUBLES: Final = (
    NotAskedError, OfficeError, RefusedError, OtherReleaseError, UnreadableError, PermissionsError, OSError, ValueError,
)  # fmt: skip


def is_sealed_wrongly(error: Exception) -> bool:
    """What an office cannot open is sealed for somebody else (docs/office-protocol.md, section 3)."""
    return isinstance(error, NotAskedError) and error.http == HTTPStatus.BAD_REQUEST


def may_be_of_changed_keys(error: Exception) -> bool:
    """They open a question no more, or do not hold, or are not those that signed."""
    return isinstance(error, OfficeError) or is_sealed_wrongly(error)


def is_no_answer(error: Exception) -> bool:
    """Whether the office counts as one that cannot be reached (docs/integrity-protocol.md, section 9)."""
    is_unavailable = isinstance(error, RefusedError) and error.refusal is Refusal.UNAVAILABLE
    return is_unavailable or isinstance(error, NotAskedError | OfficeError)


def is_forgetful(error: Exception) -> bool:
    """Whether an office that was put back says so: it does not know its own answers."""
    return isinstance(error, RefusedError) and error.refusal is Refusal.OUT_OF_SEQUENCE


def named_trouble(error: Exception) -> tuple[str, str]:
    """A name, and what more is known."""
    match error:
        case NotAskedError():
            return error.name, error.why
        case OfficeError(fault=Fault.WRONG_ISSUER):
            return error.fault, ""
        case OfficeError():
            return error.fault, error.why
        case RefusedError():
            return error.refusal, ""
        case OtherReleaseError():
            return OTHER_RELEASE, ""
        case UnreadableError():
            return UNREADABLE, str(error)
        case OSError():
            return NOT_KEPT, error.strerror or str(error)
    return NOT_KEPT, str(error)

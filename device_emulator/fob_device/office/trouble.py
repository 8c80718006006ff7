"""What is in the way of an answer, by name."""

from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal

# Of a question that came to nothing; a refusal is an answer all the same.
Trouble = NotCarriedError | OfficeError | RefusedError


def name_of_trouble(error: Trouble) -> str:
    """For people and programs."""
    match error:
        case NotCarriedError():
            return error.why
        case RefusedError():
            return error.refusal
    return error.fault


def may_be_of_other_keys(error: Exception) -> bool:
    """Whether a server's keys may be others by now.

    They open a question no more ("400 Bad Request"), or do not hold any more.
    """
    match error:
        case NotCarriedError(why=NotCarried.NOT_ANSWERED, seconds=None) | OfficeError():
            return True
    return False


def is_away(error: Exception) -> bool:
    """Whether nobody has answered, who may be there at any time; a refusal is an answer."""
    if isinstance(error, RefusedError):
        return error.refusal is Refusal.UNAVAILABLE
    return isinstance(error, NotCarriedError | OfficeError)

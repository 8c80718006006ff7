"""What is in the way of an answer, by name."""

from fob_device.office.carrier import NotCarriedError
from fob_protocol.office.errors import OfficeError, RefusedError

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

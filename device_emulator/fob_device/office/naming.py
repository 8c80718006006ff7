"""What goes wrong with commands of the back office, as a PC hears it."""

from collections.abc import Iterator
from contextlib import contextmanager

from fob_device.components.runtime.errors import RunError, WrongParametersError
from fob_device.office.back_office import FAILURES, name_of
from fob_device.office.registering import NotRegisteredError
from fob_device.office.registration import FieldsError
from fob_protocol.errors import AtSyntaxError
from fob_protocol.integrity.admission import NotEnabledError
from fob_protocol.integrity.held_copy import NOT_VALIDATED
from fob_protocol.names import plain_name
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.limits import REFUSAL_LIMIT
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


@contextmanager
def named() -> Iterator[None]:
    """Refusals by their names. Raises CkrError."""
    try:
        yield
    except (CkrError, AtSyntaxError):
        raise
    except RefusedError as error:
        said = f": {plain_name(error.said, REFUSAL_LIMIT)}" if error.said else ""
        raise CkrError(Ckr.FUNCTION_REJECTED, f"{error.refusal}{said}") from None
    except NotEnabledError as error:
        raise not_enabled(error) from None
    except (FieldsError, WrongParametersError) as error:
        raise CkrError(Ckr.ARGUMENTS_BAD, str(error)) from None
    except NotRegisteredError as error:
        raise CkrError(Ckr.ARGUMENTS_BAD, f"not registered at {plain_name(str(error))}") from None
    except RunError as error:
        raise CkrError(Ckr.GENERAL_ERROR, error.fault) from None
    except FAILURES as error:
        raise CkrError(Ckr.GENERAL_ERROR, name_of(error)) from None


def not_enabled(error: NotEnabledError) -> CkrError:
    """A verdict is the office's refusal; without one the device itself refuses. With which program, and why."""
    ckr = Ckr.GENERAL_ERROR if error.word == NOT_VALIDATED else Ckr.FUNCTION_REJECTED
    reason = f" {error.reason}" if error.reason not in ("", error.word) else ""
    return CkrError(ckr, f"{error.word}: {error.program}{reason}")

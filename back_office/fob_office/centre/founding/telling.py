"""What function servers are told of the office: who they are to devices, and whose tickets count (X5)."""

from typing import Final

from sqlalchemy.orm import Session

from fob_office.centre.founding.plan import NewKind
from fob_office.centre.function.settings import Admitted
from fob_office.errors import OperatorError
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import current_keys
from fob_protocol.office.certificate import Usage

# By which devices know the function servers, and the manufacturing box.
METERING: Final = "metering"
BOXES: Final = "boxes"


def validation_key(session: Session) -> bytes:
    """Of the office's validation server, raw. Raises OperatorError."""
    for keys in current_keys(session):
        certificate = certificate_of(keys)
        if Usage.VALIDATION in certificate.usages:
            return certificate.signing_key
    command = "fob-office server add integrity --usage distribution --usage validation"
    raise OperatorError("no software can frank", "this office validates none", command)


def admitted(kind: NewKind, key: bytes) -> Admitted:
    """Tickets of these rate components."""
    return Admitted(kind.name, key, kind.age, dict(kind.programs))

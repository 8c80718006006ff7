"""What an enrolled computer keeps, in one file: whom it trusts, and its copy. Each step replaces all of it."""

from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from fob_daemon.files import read_secret, write_durably
from fob_daemon.integrity.files import STATE_FILE
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.integrity.copy_record import CopyRecord
from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.known import Known
from fob_protocol.office.message import Count, Message, Octets32, read
from fob_protocol.office.trust import Trust

# A directory of 256 servers, and a request under way.
_SIZE_LIMIT: Final = 1 << 20


class Enrolled(Message, tag=1, frozen=True):
    """`certificate` of the configuration server, as the issuer signed it; `known` as `Known.octets` gives it.

    `counter` is that of the last copy request.
    """

    issuer: Octets32
    certificate: Annotated[bytes, Meta(max_length=4096)]
    known: Annotated[bytes, Meta(max_length=_SIZE_LIMIT)]
    counter: Count
    copy: HeldCopy

    def __repr__(self) -> str:
        return "Enrolled(...)"

    @property
    def servers(self) -> Known:
        """Whom it trusts."""
        return Known.from_octets(self.issuer, self.known)

    def check(self) -> None:
        """Look now, and not at the first use, at what is read out of it later. Raises OfficeError MALFORMED."""
        Known.from_octets(self.issuer, self.known)
        try:
            read(CopyRecord, sign1.unverified_payload(self.copy.record))
        except CoseError as error:
            raise OfficeError(Fault.MALFORMED, str(error)) from None


def nobody_known(issuer: bytes) -> Known:
    """Before the directory was asked."""
    return Known(Trust(issuer))


def load(folder: Path) -> Enrolled:
    """What is kept there. Raises ValueError for a damaged file, PermissionsError, OSError."""
    path = folder / STATE_FILE
    try:
        enrolled = read(Enrolled, read_secret(path, _SIZE_LIMIT))
        enrolled.check()
    except OfficeError as error:
        raise ValueError(f"{path} is damaged: {error.why}") from None
    return enrolled


def keep(folder: Path, enrolled: Enrolled) -> None:
    """On the disk when it returns. Raises OSError."""
    write_durably(folder / STATE_FILE, enrolled.octets())

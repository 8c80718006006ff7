"""Tickets and certificates in files: as they were signed, or in Base64 as they are printed."""

import base64
import binascii
import sys
from pathlib import Path
from typing import BinaryIO, Final

from fob_daemon.cli.out_files import write_file
from fob_daemon.control.errors import ControlError, ExitCode
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.integrity.limits import TICKET_LIMIT
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read

STANDARD_INPUT: Final = "-"
# Of a file: a ticket in Base64 with line ends, and of a certificate; more is neither.
_FILE_LIMIT: Final = 2 * TICKET_LIMIT
# CBOR's tag 18, with which every COSE_Sign1 begins (RFC 9052, section 4.2); no Base64 has it.
_TAG: Final = b"\xd2"


def written(signed: bytes) -> str:
    """As it is printed: Base64 with the alphabet for URLs, without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def write_ticket(path: str, token: bytes) -> None:
    """As it was signed. Raises ControlError."""
    try:
        write_file(Path(path), token)
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
        raise ControlError("nothing was written", why, "the same command with another --output") from None


def read_ticket_file(path: str) -> bytes:
    """What stands there, of a size that is a ticket's or more. Raises ControlError."""
    content = _read(path, "the ticket was not read")
    return content if content.startswith(_TAG) else _from_base64(content)


def read_server_key(path: str) -> bytes:
    """The public signing key in a validation server's certificate. Raises ControlError."""
    what = "the certificate was not read"
    try:
        certificate = read(Certificate, sign1.unverified_payload(_read(path, what)))
    except (CoseError, OfficeError):
        raise _not_read(what, f"{path} holds no server's certificate") from None
    if Usage.VALIDATION not in certificate.usages:
        raise _not_read(what, f"'{certificate.server}' in {path} is no validation server")
    return certificate.signing_key


def _read(path: str, what: str) -> bytes:
    try:
        if path == STANDARD_INPUT:
            return _bounded(what, "what was typed", sys.stdin.buffer) if sys.stdin else b""
        with open(path, "rb") as file:
            return _bounded(what, path, file)
    except OSError as error:
        raise _not_read(what, f"{path}: {error.strerror or error}") from None


def _bounded(what: str, name: str, file: BinaryIO) -> bytes:
    content = file.read(_FILE_LIMIT + 1)
    if len(content) > _FILE_LIMIT:
        kind = what.split()[1]
        raise _not_read(what, f"{name} has more than {_FILE_LIMIT:,} octets, which no {kind} has")
    return content


def _not_read(what: str, why: str) -> ControlError:
    return ControlError(what, why, "the same command with another file", ExitCode.USAGE)


def _from_base64(content: bytes) -> bytes:
    """What is none stays as it is, and is no ticket then."""
    text = b"".join(content.split())
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        return content

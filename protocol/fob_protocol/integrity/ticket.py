"""VAL_OK as anybody can verify it: an EAT attestation result (V12, MP10; RFC 9711, RFC 8747)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.cose.cbor import Value, encode
from fob_protocol.cose.cwt import Claims, cose_key, read_cose_key, sign_claims, unverified_claims, verify_claims
from fob_protocol.cose.errors import CoseError, SignatureError
from fob_protocol.integrity.evidence import InitialisationValue, ProgramNumber
from fob_protocol.integrity.limits import HOLDINGS_LIMIT, TICKET_LIMIT
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Count, Name, Nonce, Octets32, Time, Version

MEDIA_TYPE: Final = "application/eat+cwt"
PROFILE: Final = "tag:fob.invalid,2026:val-ok-1"

# RFC 8392, RFC 8747, RFC 9711; the private ones are ours.
_ISS, _EXP, _IAT, _CNF, _NONCE, _UEID, _PROFILE, _RESULTS = 1, 4, 6, 8, 10, 256, 265, 274
_IDENTIFIER_NAME, _PROGRAM_NUMBER, _SERVER_NUMBER, _IV, _VERSION = range(-70002, -70007, -1)
_CLAIMS: Final = frozenset({
    _ISS, _EXP, _IAT, _CNF, _NONCE, _UEID, _PROFILE, _RESULTS,
    _IDENTIFIER_NAME, _PROGRAM_NUMBER, _SERVER_NUMBER, _IV, _VERSION,
})  # fmt: skip
_CONFIRMATION_KEY: Final = 1
# Of a UEID: a random one (RFC 9711, section 4.2.1.1).
_RANDOM_UEID: Final = b"\x01"
_SUCCESSFUL: Final = 1


@dataclass(frozen=True, slots=True)
class Ticket:
    """`time` is DT, `until` when it is over; `evidence` the digest of what it answers; `holder` a raw public key."""

    server: Name
    time: Time
    until: Time
    holder: Octets32
    evidence: Octets32
    copy: Nonce
    program: Name
    version: Version
    identifier_name: Octets32
    program_number: ProgramNumber
    server_number: Count
    iv: InitialisationValue | None

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """By the validation server."""
        return sign_claims(key, MEDIA_TYPE, self._claims())

    def _claims(self) -> Claims:
        return {
            _ISS: self.server,
            _EXP: self.until,
            _IAT: self.time,
            _CNF: {_CONFIRMATION_KEY: cose_key(self.holder)},
            _NONCE: self.evidence,
            _UEID: _RANDOM_UEID + self.copy,
            _PROFILE: PROFILE,
            _RESULTS: [["fob", [[self.program, _SUCCESSFUL]]]],
            _IDENTIFIER_NAME: self.identifier_name,
            _PROGRAM_NUMBER: self.program_number,
            _SERVER_NUMBER: self.server_number,
            _IV: self.iv,
            _VERSION: [self.program, list(self.version)],
        }


def read_ticket(server: bytes, token: bytes) -> Ticket:
    """What this validation server (raw public key) signed; nothing is said of its time. Raises OfficeError."""
    _check_size(token)
    try:
        claims = verify_claims(server, MEDIA_TYPE, token)
    except SignatureError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"not signed by this validation server: {error}") from None
    except CoseError as error:
        raise OfficeError(Fault.MALFORMED, f"no ticket: {error}") from None
    return _ticket(claims)


@lru_cache(HOLDINGS_LIMIT)
def unverified_ticket(token: bytes) -> Ticket:
    """What a ticket says; it proves nothing. Raises OfficeError."""
    _check_size(token)
    try:
        return _ticket(unverified_claims(token))
    except CoseError as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None


def _check_size(token: bytes) -> None:
    if len(token) > TICKET_LIMIT:
        raise OfficeError(Fault.TOO_LARGE, f"a ticket of {len(token)} octets")


def _ticket(claims: Claims) -> Ticket:
    """Of exactly the claims that a ticket has. Raises OfficeError MALFORMED."""
    if claims.keys() != _CLAIMS:
        raise OfficeError(Fault.MALFORMED, "a token with other claims than a ticket")
    program, version = _pair(claims[_VERSION])
    elements: dict[str, Any] = {
        "server": claims[_ISS],
        "time": claims[_IAT],
        "until": claims[_EXP],
        "holder": _holder(claims[_CNF]),
        "evidence": claims[_NONCE],
        "copy": _copy(claims[_UEID]),
        "program": program,
        "version": version,
        "identifier_name": claims[_IDENTIFIER_NAME],
        "program_number": claims[_PROGRAM_NUMBER],
        "server_number": claims[_SERVER_NUMBER],
        "iv": claims[_IV],
    }
    try:
        ticket = msgspec.convert(elements, Ticket)
    except msgspec.ValidationError as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None
    # Their octets: to Python true is 1.
    if encode(ticket._claims()) != encode(claims):
        raise OfficeError(Fault.MALFORMED, "a ticket of another profile, or with another result than success")
    return ticket


def _pair(value: Value) -> tuple[Value, Value]:
    match value:
        case [program, version]:
            return program, version
    raise OfficeError(Fault.MALFORMED, "a program has a name and a version")


def _holder(value: Value) -> bytes:
    match value:
        case dict() if value.keys() == {_CONFIRMATION_KEY}:
            try:
                return read_cose_key(value[_CONFIRMATION_KEY])
            except CoseError as error:
                raise OfficeError(Fault.MALFORMED, str(error)) from None
    raise OfficeError(Fault.MALFORMED, "a ticket is for the holder of one key")


def _copy(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise OfficeError(Fault.MALFORMED, "a UEID has octets")
    return value.removeprefix(_RANDOM_UEID)

"""Who may be a server, and since when no longer: certificates and revocation lists of the issuer (R3, R9, R27)."""

from enum import IntEnum
from functools import lru_cache
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Count, Message, Name, Octets32, Time, Title, read

SERVERS_LIMIT = 256


class Usage(IntEnum):
    """What a server may do."""

    REGISTRATION = 1
    CONFIGURATION = 2
    RELEASE = 3
    ENTITLEMENT = 4
    DISTRIBUTION = 5
    VALIDATION = 6
    METERING = 7
    BOXES = 8


class Certificate(Message, tag=1, frozen=True):
    """A server's keys: `signing_key` Ed25519, `sealing_key` X25519. Both times belong to it."""

    server: Name
    title: Title
    usages: Annotated[tuple[Usage, ...], Meta(min_length=1, max_length=len(Usage))]
    signing_key: Octets32
    sealing_key: Octets32
    epoch: Count
    not_before: Time
    not_after: Time

    def signed(self, issuer: Ed25519PrivateKey) -> bytes:
        """As the issuer gives it out."""
        return sign1.sign(issuer, Label.SERVER_CERTIFICATE, [], self.octets())


class RevocationList(Message, tag=1, frozen=True):
    """`epochs`: the least epoch of a server that is still worth something."""

    number: Count
    issued: Time
    until: Time
    epochs: Annotated[dict[Name, Count], Meta(max_length=SERVERS_LIMIT)]

    def signed(self, issuer: Ed25519PrivateKey) -> bytes:
        """As the issuer gives it out."""
        return sign1.sign(issuer, Label.REVOCATION_LIST, [], self.octets())


@lru_cache(SERVERS_LIMIT)
def read_certificate(issuer: bytes, signed: bytes) -> Certificate:
    """What the issuer (its public key) signed. Raises OfficeError WRONG_ISSUER, MALFORMED.

    The same octets are verified once: times and revocations, which pass, are looked at elsewhere (`trust.py`).
    """
    return read(Certificate, _issued(issuer, Label.SERVER_CERTIFICATE, signed))


def read_revocation_list(issuer: bytes, signed: bytes) -> RevocationList:
    """What the issuer (its public key) signed. Raises OfficeError WRONG_ISSUER, MALFORMED."""
    return read(RevocationList, _issued(issuer, Label.REVOCATION_LIST, signed))


def _issued(issuer: bytes, label: Label, signed: bytes) -> bytes:
    try:
        return sign1.verify(issuer, label, [], signed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_ISSUER, f"not signed by the issuer that is trusted here: {error}") from None

"""*copy record*: which copy of which program a holder has, and how it is measured (V1, V3, V4)."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.integrity.method import Method
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Count, KeyId, Message, Name, Nonce, Octets32, Time, Version, read

Seconds = Annotated[int, Meta(ge=0, le=400 * 86_400)]


class Policy(Message, frozen=True):
    """For how long a VAL_OK is good; how old it may be at a use, 0 for each use its own; how long it does without."""

    lifetime: Annotated[int, Meta(ge=1, le=400 * 86_400)]
    interval: Seconds
    grace: Seconds
    rolls: bool


COMPONENT_POLICY = Policy(lifetime=86_400, interval=0, grace=0, rolls=True)
INSTALLATION_POLICY = Policy(lifetime=86_400, interval=0, grace=7 * 86_400, rolls=True)


class CopyRecord(Message, tag=1, frozen=True):
    """`digest` and `size` are of the program without a mark, `holder` is the id of a key."""

    copy: Nonce
    program: Name
    version: Version
    size: Count
    digest: Octets32
    holder: KeyId
    method: Method
    policy: Policy
    identifier_name: Octets32
    validation_server: Name
    issued: Time

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """As the distribution server gives it out."""
        return sign1.sign(key, Label.COPY_RECORD, [], self.octets())


def read_copy_record(server: Certificate, signed: bytes, holder: bytes) -> CopyRecord:
    """A record of this server for this holder (a key id). Raises OfficeError."""
    if Usage.DISTRIBUTION not in server.usages:
        raise OfficeError(Fault.OTHER_USAGE, f"{server.server} may not distribute copies")
    try:
        record = read(CopyRecord, sign1.verify(server.signing_key, Label.COPY_RECORD, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"no copy of {server.server}: {error}") from None
    record.method.check()
    if record.holder != holder:
        raise OfficeError(Fault.OTHER_DEVICE, "a copy of another holder")
    return record

"""What a person may do at a server, as a signed instruction to the device (R21 to R23)."""

from enum import IntEnum
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.limits import BODY_LIMIT, COMPONENTS_LIMIT, COMPUTERS_LIMIT, ENTITLEMENTS_LIMIT, PATH_LIMIT
from fob_protocol.office.message import Count, KeyId, Message, Name, Nonce, Number, Octets32, Time, read


class State(IntEnum):
    """Of a registration."""

    ACTIVE = 1
    REVOKED = 2


class Entitlements(Message, tag=1, frozen=True):
    """No `computers`: any. `applications`: the level at each. `components`: options that come with it (X7)."""

    server: Name
    user_code: Nonce
    device: KeyId
    version: Count
    issued: Time
    until: Time
    state: State
    computers: Annotated[tuple[Octets32, ...], Meta(max_length=COMPUTERS_LIMIT)]
    applications: Annotated[dict[Name, Number], Meta(max_length=ENTITLEMENTS_LIMIT)]
    components: Annotated[tuple[Name, ...], Meta(max_length=COMPONENTS_LIMIT)]

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """As the server gives it out."""
        return sign1.sign(key, Label.ENTITLEMENTS, [], self.octets())


class GetEntitlements(Message, tag=1, frozen=True):
    """A session message: from this computer (SHA-256 of its public key), with this version held."""

    computer: Octets32 | None
    version: Count


class EntitlementsAnswer(Message, tag=1, frozen=True):
    """Signed."""

    entitlements: bytes


class Use(Message, tag=2, frozen=True):
    """A session message: a request to an application behind the gateway (R23)."""

    computer: Octets32 | None
    application: Name
    path: Annotated[str, Meta(max_length=PATH_LIMIT)]
    body: Annotated[bytes, Meta(max_length=BODY_LIMIT)]


class Used(Message, tag=2, frozen=True):
    """The application's answer; `status` as in HTTP."""

    status: Annotated[int, Meta(ge=100, le=599)]
    body: Annotated[bytes, Meta(max_length=BODY_LIMIT)]


def read_entitlements(
    server: Certificate, signed: bytes, *, user_code: bytes, device: bytes, held: int, time: int
) -> Entitlements:
    """An instruction for this user and device, not older than the one held. Raises OfficeError."""
    if Usage.ENTITLEMENT not in server.usages:
        raise OfficeError(Fault.OTHER_USAGE, f"{server.server} may not say what people may do")
    try:
        new = read(Entitlements, sign1.verify(server.signing_key, Label.ENTITLEMENTS, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"not {server.server}'s: {error}") from None
    if new.server != server.server:
        raise OfficeError(Fault.OTHER_SERVER, f"entitlements at {new.server}")
    if new.user_code != user_code:
        raise OfficeError(Fault.OTHER_USER, "entitlements of somebody else")
    if new.device != device:
        raise OfficeError(Fault.OTHER_DEVICE, "entitlements for another device")
    if new.version < held:
        raise OfficeError(Fault.STALE, f"version {new.version} comes after {held}")
    if new.until < time:
        raise OfficeError(Fault.EXPIRED, "the entitlements are over")
    return new

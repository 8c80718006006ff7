"""*bundle*: a release that was signed away from the office, with all that the office needs to give it to devices."""

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_protocol.cose import hpke
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message
from fob_protocol.office.release import Release


class Bundle(Message, tag=1, frozen=True):
    """`release` as it was signed, `key` that of its content, sealed to the office, `content` as devices get it."""

    release: bytes
    key: bytes
    content: bytes


def seal_bundle_key(key: bytes, office: bytes, release: Release) -> bytes:
    """For the configuration server with this sealing key."""
    return hpke.seal_to(office, Label.BUNDLE_KEY, [digest(release.octets())], key)


def open_bundle_key(key: X25519PrivateKey, sealed: bytes, release: Release) -> bytes:
    """At the office. Raises OfficeError OTHER_SERVER. Whether it is the content's, only the content shows."""
    try:
        return hpke.unseal_with(key, Label.BUNDLE_KEY, [digest(release.octets())], sealed)
    except CoseError as error:
        raise OfficeError(Fault.OTHER_SERVER, f"not sealed to this office for this release: {error}") from None

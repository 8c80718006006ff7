"""*checkpoint*: a transaction box's word for all that the log says up to a size. Whoever keeps one is a witness."""

from collections.abc import Collection
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import key_id
from fob_protocol.cose.labels import Label
from fob_protocol.metering.log.errors import LogError
from fob_protocol.metering.log.limits import CHECKPOINT_LIMIT, SIZE_LIMIT
from fob_protocol.metering.log.proofs import TreeHead
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import Message, Name, Octets32, Time, read


class Checkpoint(Message, tag=1, frozen=True):
    """`[1, origin, size, root, time]`; `origin` is the name of the log, `time` in seconds since 1970."""

    origin: Name
    size: Annotated[int, Meta(ge=0, le=SIZE_LIMIT)]
    root: Octets32
    time: Time

    @property
    def head(self) -> TreeHead:
        """What proofs are about."""
        return TreeHead(self.size, self.root)

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        """As a transaction box gives it out."""
        return sign1.sign(key, Label.CHECKPOINT, [], self.octets())


def read_checkpoint(keys: Collection[bytes], origin: str, signed: bytes) -> Checkpoint:
    """A checkpoint of this log, by one of these keys (raw, 32 octets each). Raises LogError."""
    if len(signed) > CHECKPOINT_LIMIT:
        raise LogError(f"a checkpoint over {CHECKPOINT_LIMIT} octets")
    try:
        checkpoint = read(Checkpoint, sign1.verify(_signer(keys, signed), Label.CHECKPOINT, [], signed))
    except CoseError as error:
        raise LogError(f"no checkpoint: {error}") from None
    except OfficeError as error:
        raise LogError(f"no checkpoint: {error.why}") from None
    if checkpoint.origin != origin:
        raise LogError(f"a checkpoint of {checkpoint.origin}, not of {origin}")
    return checkpoint


def _signer(keys: Collection[bytes], signed: bytes) -> bytes:
    """The key that the checkpoint names. Raises LogError where it is none of these, CoseError."""
    named = sign1.signer_of(signed)
    for key in keys:
        if key_id(key) == named:
            return key
    raise LogError("no checkpoint: signed by a key that is not trusted")


def origin_of(manufacturing: bytes) -> str:
    """The name of the log of the data centre whose manufacturing box has this public key (raw)."""
    return key_id(manufacturing).hex()

"""A server as the office knows it: certificate and private keys."""

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_office.secrets.sealing import Place, Sealer
from fob_office.servers.key_pair import KeyPair
from fob_office.servers.tables import ServerKeys
from fob_protocol.cose import sign1
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.message import read


@dataclass(frozen=True, slots=True)
class Identity:
    """`signed` is the certificate as the issuer gave it out."""

    certificate: Certificate
    signed: bytes = field(repr=False)
    signing_key: Ed25519PrivateKey = field(repr=False)
    sealing_key: X25519PrivateKey = field(repr=False)

    @property
    def name(self) -> str:
        """By which devices ask for it."""
        return self.certificate.server

    @property
    def epoch(self) -> int:
        """Of these keys."""
        return self.certificate.epoch

    def may(self, usage: Usage) -> bool:
        """Whether the issuer lets it."""
        return usage in self.certificate.usages


def certificate_of(keys: ServerKeys) -> Certificate:
    """What the issuer says. It was checked when it was made."""
    return _certificate(keys.certificate)


@lru_cache(maxsize=256)
def _certificate(signed: bytes) -> Certificate:
    return read(Certificate, sign1.unverified_payload(signed))


def seal_keys(sealer: Sealer, server: str, epoch: int, pair: KeyPair) -> tuple[bytes, bytes]:
    """Both private keys as they stand in their row."""
    return (
        sealer.seal(_place("signing_key", server, epoch), pair.signing.private_bytes_raw()),
        sealer.seal(_place("sealing_key", server, epoch), pair.sealing.private_bytes_raw()),
    )


def opened(sealer: Sealer, keys: ServerKeys) -> Identity | None:
    """None: the private keys are not here. Raises UnsealError."""
    if keys.signing_key is None or keys.sealing_key is None:
        return None
    signing = sealer.unseal(_place("signing_key", keys.server, keys.epoch), keys.signing_key)
    return Identity(
        certificate_of(keys),
        keys.certificate,
        Ed25519PrivateKey.from_private_bytes(signing),
        opened_sealing_key(sealer, keys, keys.sealing_key),
    )


def opened_sealing_key(sealer: Sealer, keys: ServerKeys, sealed: bytes) -> X25519PrivateKey:
    """`sealed`: that of `keys`, which is here. Raises UnsealError."""
    return X25519PrivateKey.from_private_bytes(sealer.unseal(_place("sealing_key", keys.server, keys.epoch), sealed))


def _place(column: str, server: str, epoch: int) -> Place:
    return Place(ServerKeys.__tablename__, column, [server, epoch])

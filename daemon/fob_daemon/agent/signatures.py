"""From a sign request to one C_Sign, and from its result to an SSH signature.

RFC 8332 (RSA), RFC 5656 section 3.1.2 (ECDSA), RFC 8709 section 6 (Ed25519). Hashing happens on the PC; Ed25519 signs
the message itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes

from fob_daemon.agent.messages import SignFlag
from fob_daemon.agent.wire import mpint, string
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.mechanisms import Mechanism

_ED25519_SIGNATURE: Final = 64


class UnsupportedSignatureError(Exception):
    """The flags ask for a signature that is not made here; the message says why."""


class MalformedSignatureError(Exception):
    """The token's answer is no signature of the key's kind."""


@dataclass(frozen=True, slots=True)
class SigningPlan:
    """What C_Sign is to do, and how its result becomes the blob of a signature by `algorithm`."""

    algorithm: str
    mechanism: Mechanism
    data: bytes = field(repr=False)
    encode_blob: Callable[[bytes], bytes]

    def encode(self, signature: bytes) -> bytes:
        """The SSH encoding of C_Sign's result. Raises MalformedSignatureError."""
        return string(self.algorithm.encode()) + string(self.encode_blob(signature))


def plan_signature(key_algorithm: str, data: bytes, flags: int) -> SigningPlan:
    """How to sign `data` with a key of this SSH algorithm name. Raises UnsupportedSignatureError."""
    if unknown := flags & ~(SignFlag.RSA_SHA2_256 | SignFlag.RSA_SHA2_512):
        raise UnsupportedSignatureError(f"sign flags {unknown:#x} are not known")
    if key_algorithm == "ssh-rsa":
        return _plan_rsa(data, flags)
    if key_algorithm == "ssh-ed25519":
        return SigningPlan(key_algorithm, Mechanism(Ckm.EDDSA), data, _ed25519_blob)
    hash_algorithm, size = _ECDSA[key_algorithm]
    digest = hashes.Hash(hash_algorithm)
    digest.update(data)
    return SigningPlan(
        key_algorithm, Mechanism(Ckm.ECDSA), digest.finalize(), lambda signature: _ecdsa_blob(signature, size)
    )


def _plan_rsa(data: bytes, flags: int) -> SigningPlan:
    """SHA-256 wins when both are asked for, as in OpenSSH."""
    if flags & SignFlag.RSA_SHA2_256:
        return SigningPlan("rsa-sha2-256", Mechanism(Ckm.SHA256_RSA_PKCS), data, _rsa_blob)
    if flags & SignFlag.RSA_SHA2_512:
        return SigningPlan("rsa-sha2-512", Mechanism(Ckm.SHA512_RSA_PKCS), data, _rsa_blob)
    raise UnsupportedSignatureError("the client asks for an RSA signature with SHA-1, which is broken")


# The hash of the curve's strength, and the bytes of a coordinate.
_ECDSA: Final[dict[str, tuple[hashes.HashAlgorithm, int]]] = {
    "ecdsa-sha2-nistp256": (hashes.SHA256(), 32),
    "ecdsa-sha2-nistp384": (hashes.SHA384(), 48),
    "ecdsa-sha2-nistp521": (hashes.SHA512(), 66),
}


def _rsa_blob(signature: bytes) -> bytes:
    if not signature:
        raise MalformedSignatureError("the RSA signature is empty")
    return signature


def _ed25519_blob(signature: bytes) -> bytes:
    if len(signature) != _ED25519_SIGNATURE:
        raise MalformedSignatureError(f"an Ed25519 signature of {len(signature)} bytes")
    return signature


def _ecdsa_blob(signature: bytes, size: int) -> bytes:
    """r and s as two mpints; C_Sign gives them joined, each `size` bytes (PKCS#11 v2.40 mechanisms, section 2.3.1)."""
    if len(signature) != 2 * size:
        raise MalformedSignatureError(f"an ECDSA signature of {len(signature)} bytes, not {2 * size}")
    r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
    return mpint(r) + mpint(s)

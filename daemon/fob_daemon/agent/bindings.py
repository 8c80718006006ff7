"""Which SSH sessions a connection serves: the session-bind@openssh.com extension (OpenSSH PROTOCOL.agent, section 1).

The client proves with the host key's signature of the key exchange that it speaks with that host; a forwarding client
says so, and whatever comes later on the connection comes from the remote side.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    SSHCertificate,
    SSHCertPublicKeyTypes,
    load_ssh_public_identity,
)

from fob_daemon.agent.limits import MAX_BINDINGS, MAX_SESSION_ID
from fob_daemon.agent.wire import Reader

SESSION_BIND: Final = "session-bind@openssh.com"


class BindingRefusedError(Exception):
    """The binding is not proved or contradicts an earlier one; the message says which."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One proved session: the host key's blob, the session identifier, and whether the agent is forwarded there."""

    host_key: bytes
    session_id: bytes
    is_forwarding: bool


def fingerprint(host_key: bytes) -> str:
    """A host key as `ssh-keygen -l` shows it."""
    digest = base64.b64encode(hashlib.sha256(host_key).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


class SessionBindings:
    """The bindings of one connection, in order: each hop of a forwarded agent adds one."""

    def __init__(self) -> None:
        self._bindings: list[Binding] = []
        self._attempted = False

    @property
    def is_bound(self) -> bool:
        """Whether the connection serves an SSH session, or failed to prove it; then it is no `ssh-add` at this PC."""
        return self._attempted

    @property
    def is_forwarded(self) -> bool:
        """Whether requests come from a remote host."""
        return any(binding.is_forwarding for binding in self._bindings)

    @property
    def host(self) -> str | None:
        """The fingerprint of the last host's key."""
        return fingerprint(self._bindings[-1].host_key) if self._bindings else None

    def host_key(self, session_id: bytes) -> bytes | None:
        """The key of the host that proved to be the other end of this session."""
        return next((bound.host_key for bound in self._bindings if bound.session_id == session_id), None)

    def add(self, contents: bytes) -> Binding:
        """Check and remember the contents of a request. Raises MalformedMessageError or BindingRefusedError."""
        self._attempted = True
        reader = Reader(contents)
        host_key, session_id, signature = reader.string(), reader.string(), reader.string()
        binding = Binding(host_key, session_id, reader.boolean())
        reader.end()
        if not 0 < len(session_id) <= MAX_SESSION_ID:
            raise BindingRefusedError(f"a session identifier of {len(session_id)} bytes")
        _verify(host_key, signature, session_id)
        if binding not in self._bindings:
            self._check_order(binding)
            self._bindings.append(binding)
        return binding

    def _check_order(self, binding: Binding) -> None:
        if any(not earlier.is_forwarding for earlier in self._bindings):
            raise BindingRefusedError("the connection was bound for authentication, not for forwarding")
        if any(earlier.session_id == binding.session_id for earlier in self._bindings):
            raise BindingRefusedError("this session is bound already, in another way")
        if len(self._bindings) >= MAX_BINDINGS:
            raise BindingRefusedError(f"more than {MAX_BINDINGS} hosts in a row")


def _verify(host_key: bytes, signature: bytes, message: bytes) -> None:
    """Raises MalformedMessageError, or BindingRefusedError for a signature that is not the host key's."""
    reader = Reader(signature)
    algorithm, blob = reader.string(), reader.string()
    reader.end()
    key = _load_host_key(host_key)
    check = _CHECKS.get(algorithm)
    if check is None:
        raise BindingRefusedError("the signature's algorithm is not known")
    try:
        check(key, blob, message)
    except InvalidSignature:
        raise BindingRefusedError("the host key did not sign this session") from None


def _load_host_key(blob: bytes) -> SSHCertPublicKeyTypes:
    """The host key, or the key that a host certificate is about."""
    line = Reader(blob).string() + b" " + base64.b64encode(blob)
    try:
        identity = load_ssh_public_identity(line)
    except (ValueError, UnsupportedAlgorithm, NotImplementedError):  # the last for points that are compressed
        raise BindingRefusedError("the host key is of no known kind") from None
    key = identity.public_key() if isinstance(identity, SSHCertificate) else identity
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise BindingRefusedError("host keys of this kind are not used any more")
    return key


_Check = Callable[[SSHCertPublicKeyTypes, bytes, bytes], None]


def _rsa(hash_algorithm: hashes.HashAlgorithm) -> _Check:
    def check(key: SSHCertPublicKeyTypes, blob: bytes, message: bytes) -> None:
        if not isinstance(key, rsa.RSAPublicKey):
            raise InvalidSignature
        key.verify(blob, message, padding.PKCS1v15(), hash_algorithm)

    return check


def _ecdsa(curve: type[ec.EllipticCurve], hash_algorithm: hashes.HashAlgorithm) -> _Check:
    def check(key: SSHCertPublicKeyTypes, blob: bytes, message: bytes) -> None:
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, curve):
            raise InvalidSignature
        reader = Reader(blob)
        signature = encode_dss_signature(reader.positive_mpint(), reader.positive_mpint())
        reader.end()
        key.verify(signature, message, ec.ECDSA(hash_algorithm))

    return check


def _ed25519(key: SSHCertPublicKeyTypes, blob: bytes, message: bytes) -> None:
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise InvalidSignature
    key.verify(blob, message)


_CHECKS: Final[dict[bytes, _Check]] = {
    b"ssh-ed25519": _ed25519,
    b"ecdsa-sha2-nistp256": _ecdsa(ec.SECP256R1, hashes.SHA256()),
    b"ecdsa-sha2-nistp384": _ecdsa(ec.SECP384R1, hashes.SHA384()),
    b"ecdsa-sha2-nistp521": _ecdsa(ec.SECP521R1, hashes.SHA512()),
    b"rsa-sha2-256": _rsa(hashes.SHA256()),
    b"rsa-sha2-512": _rsa(hashes.SHA512()),
}

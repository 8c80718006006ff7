"""What the data of a sign request is: a login to a host, or a signature over something that has a namespace.

RFC 4252, section 7, and publickey-hostbound-v00@openssh.com (OpenSSH PROTOCOL, section 3); OpenSSH PROTOCOL.sshsig.
"""

from dataclasses import dataclass
from typing import Final

from fob_daemon.agent.wire import MalformedMessageError, Reader

_USERAUTH_REQUEST: Final = 50
_PUBLICKEY: Final = b"publickey"
_HOSTBOUND: Final = b"publickey-hostbound-v00@openssh.com"
_SSHSIG: Final = b"SSHSIG"


@dataclass(frozen=True, slots=True)
class LoginData:
    """An authentication within one session; `host_key` where the signature holds for that host alone."""

    session_id: bytes
    host_key: bytes | None


@dataclass(frozen=True, slots=True)
class SignatureData:
    """An SSHSIG signature; `namespace` says what it is good for."""

    namespace: bytes


def read_signed_data(data: bytes) -> LoginData | SignatureData | None:
    """None for anything else, or what only looks like one."""
    try:
        # As a length, the letters are more than any message has: data is never both.
        return _signature(data) if data.startswith(_SSHSIG) else _login(data)
    except MalformedMessageError:
        return None


def _signature(data: bytes) -> SignatureData:
    """Namespace, reserved, hash algorithm, hash."""
    reader = Reader(data[len(_SSHSIG) :])
    namespace, *_ = (reader.string() for _ in range(4))
    reader.end()
    return SignatureData(namespace)


def _login(data: bytes) -> LoginData | None:
    """Session identifier, message number, user, service, method, true, algorithm, key, and for one method host key."""
    reader = Reader(data)
    session_id, number = reader.string(), reader.byte()
    _user, _service, method, is_signed = reader.string(), reader.string(), reader.string(), reader.boolean()
    _algorithm, _key = reader.string(), reader.string()
    host_key = reader.string() if method == _HOSTBOUND else None
    reader.end()
    is_login = number == _USERAUTH_REQUEST and method in (_PUBLICKEY, _HOSTBOUND) and is_signed
    return LoginData(session_id, host_key) if is_login else None

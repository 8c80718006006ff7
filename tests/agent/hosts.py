"""What an ssh client sends to bind an agent's connection to a session with a host."""

from agent.fake_keys import FakeKey
from agent.verify import blob_of
from fob_daemon.agent.signatures import plan_signature
from fob_daemon.agent.wire import string

SESSION_ID = bytes(range(32))


def host_signature(key: FakeKey, message: bytes) -> bytes:
    plan = plan_signature(key.line.split()[0], message, flags=4)
    return plan.encode(key.sign(plan.mechanism.type, plan.data))


def binding(
    key: FakeKey, session_id: bytes = SESSION_ID, *, forwarding: bool = False, host_key: bytes | None = None
) -> bytes:
    """The contents of a request that the host `key` vouches for."""
    signed = host_signature(key, session_id)
    return string(host_key or blob_of(key)) + string(session_id) + string(signed) + bytes((forwarding,))


def login_data(
    session_id: bytes = SESSION_ID,
    *,
    host_key: bytes | None = None,
    method: bytes | None = None,
    number: int = 50,
    is_signed: bool = True,
) -> bytes:
    """What an ssh client has signed to log in (RFC 4252, section 7), bound to a host key if there is one."""
    hostbound = b"publickey" if host_key is None else b"publickey-hostbound-v00@openssh.com"
    fields = string(b"me") + string(b"ssh-connection") + string(method or hostbound) + bytes((is_signed,))
    key = string(b"ssh-ed25519") + string(b"the user's key")
    return string(session_id) + bytes((number,)) + fields + key + (b"" if host_key is None else string(host_key))


def signature_data(namespace: bytes) -> bytes:
    """What `ssh-keygen -Y sign` has signed (OpenSSH PROTOCOL.sshsig)."""
    return b"SSHSIG" + string(namespace) + string(b"") + string(b"sha512") + string(bytes(64))

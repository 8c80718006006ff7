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

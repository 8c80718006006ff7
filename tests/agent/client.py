"""Requests of an agent's client in exact bytes, and what a client does with the replies."""

from fob_daemon.agent.wire import Reader, string, u32

FAILURE = b"\x05"
SUCCESS = b"\x06"
EXTENSION_FAILURE = b"\x1c"
REQUEST_IDENTITIES = b"\x0b"
NO_IDENTITIES = b"\x0c\x00\x00\x00\x00"


def sign_request(blob: bytes, data: bytes, flags: int = 0) -> bytes:
    return b"\x0d" + string(blob) + string(data) + u32(flags)


def add_smartcard_key(provider: str, pin: bytes) -> bytes:
    return b"\x14" + string(provider.encode()) + string(pin)


def remove_smartcard_key(provider: str) -> bytes:
    return b"\x15" + string(provider.encode()) + string(b"")


def lock(passphrase: bytes) -> bytes:
    return b"\x16" + string(passphrase)


def unlock(passphrase: bytes) -> bytes:
    return b"\x17" + string(passphrase)


def extension(name: str, contents: bytes = b"") -> bytes:
    return b"\x1b" + string(name.encode()) + contents


def identities(reply: bytes) -> list[tuple[bytes, str]]:
    """Blob and comment of each key in an IDENTITIES_ANSWER."""
    reader = Reader(reply)
    assert reader.byte() == 12
    found = [(reader.string(), reader.string().decode()) for _ in range(reader.u32())]
    reader.end()
    return found


def comments(reply: bytes) -> list[str]:
    """The names of the keys in an IDENTITIES_ANSWER."""
    return [comment for _, comment in identities(reply)]


def signature(reply: bytes) -> tuple[str, bytes]:
    """Algorithm and blob in a SIGN_RESPONSE."""
    reader = Reader(reply)
    assert reader.byte() == 14
    encoded = reader.string()
    reader.end()
    inner = Reader(encoded)
    algorithm, blob = inner.string().decode(), inner.string()
    inner.end()
    return algorithm, blob

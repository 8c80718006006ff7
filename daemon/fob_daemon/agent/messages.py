"""The requests and replies of the agent protocol (draft-ietf-sshm-ssh-agent, sections 3 and 6), typed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Protocol

from fob_daemon.agent.limits import MAX_MESSAGE
from fob_daemon.agent.wire import MalformedMessageError, Reader, string, u32


class Number(IntEnum):
    """Message numbers; SSH_AGENTC_ are requests, SSH_AGENT_ replies."""

    FAILURE = 5
    SUCCESS = 6
    REQUEST_IDENTITIES = 11
    IDENTITIES_ANSWER = 12
    SIGN_REQUEST = 13
    SIGN_RESPONSE = 14
    ADD_SMARTCARD_KEY = 20
    REMOVE_SMARTCARD_KEY = 21
    LOCK = 22
    UNLOCK = 23
    EXTENSION = 27
    EXTENSION_FAILURE = 28
    EXTENSION_RESPONSE = 29


class SignFlag(IntEnum):
    """Flags of a sign request."""

    RSA_SHA2_256 = 2
    RSA_SHA2_512 = 4


@dataclass(frozen=True, slots=True)
class RequestIdentities:
    """Which keys there are."""


@dataclass(frozen=True, slots=True)
class SignRequest:
    """Sign `data` with the key of this public key blob."""

    key_blob: bytes
    data: bytes = field(repr=False)
    flags: int


@dataclass(frozen=True, slots=True)
class AddSmartcardKey:
    """`ssh-add -s provider`: log in."""

    provider: str
    pin: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RemoveSmartcardKey:
    """`ssh-add -e provider`: log out. The PIN that comes with it has no use."""

    provider: str


@dataclass(frozen=True, slots=True)
class Lock:
    """`ssh-add -x`."""

    passphrase: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unlock:
    """`ssh-add -X`."""

    passphrase: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Extension:
    """A request by name; what its contents are is the extension's matter."""

    name: str
    contents: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A request that no token can fulfil, like adding a private key, or that is not known."""

    number: int


Request = (
    RequestIdentities | SignRequest | AddSmartcardKey | RemoveSmartcardKey | Lock | Unlock | Extension | Unsupported
)


class HasBlobAndComment(Protocol):
    """What a key in the list of identities has."""

    @property
    def blob(self) -> bytes: ...
    @property
    def comment(self) -> str: ...


def parse_request(message: bytes) -> Request:
    """The request in a message. Raises MalformedMessageError; an unknown number is Unsupported."""
    reader = Reader(message)
    number = reader.byte()
    parse = _PARSERS.get(number)
    if parse is None:
        return Unsupported(number)
    request = parse(reader)
    reader.end()
    return request


def _text(reader: Reader) -> str:
    try:
        return reader.string().decode()
    except UnicodeDecodeError:
        raise MalformedMessageError("a name that is not UTF-8") from None


def _remove_smartcard_key(reader: Reader) -> RemoveSmartcardKey:
    provider = _text(reader)
    reader.string()
    return RemoveSmartcardKey(provider)


_PARSERS: Final[dict[int, Callable[[Reader], Request]]] = {
    Number.REQUEST_IDENTITIES: lambda reader: RequestIdentities(),
    Number.SIGN_REQUEST: lambda reader: SignRequest(reader.string(), reader.string(), reader.u32()),
    Number.ADD_SMARTCARD_KEY: lambda reader: AddSmartcardKey(_text(reader), reader.string()),
    Number.REMOVE_SMARTCARD_KEY: _remove_smartcard_key,
    Number.LOCK: lambda reader: Lock(reader.string()),
    Number.UNLOCK: lambda reader: Unlock(reader.string()),
    Number.EXTENSION: lambda reader: Extension(_text(reader), reader.rest()),
}

FAILURE: Final = bytes((Number.FAILURE,))
SUCCESS: Final = bytes((Number.SUCCESS,))
EXTENSION_FAILURE: Final = bytes((Number.EXTENSION_FAILURE,))


def identities_answer(identities: Iterable[HasBlobAndComment]) -> bytes:
    """The list of keys; ends before the key that would not fit into a message."""
    entries: list[bytes] = []
    room = MAX_MESSAGE - len(_identities_head(0))
    for identity in identities:
        entry = string(identity.blob) + string(identity.comment.encode())
        room -= len(entry)
        if room < 0:
            break
        entries.append(entry)
    return _identities_head(len(entries)) + b"".join(entries)


def _identities_head(count: int) -> bytes:
    return bytes((Number.IDENTITIES_ANSWER,)) + u32(count)


def sign_response(signature: bytes) -> bytes:
    """`signature` is an encoded SSH signature: its algorithm and its blob."""
    return bytes((Number.SIGN_RESPONSE,)) + string(signature)


def extension_response(name: str, contents: bytes) -> bytes:
    """The answer of an extension that has one of its own."""
    return bytes((Number.EXTENSION_RESPONSE,)) + string(name.encode()) + contents

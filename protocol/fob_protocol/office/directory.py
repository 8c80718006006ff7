"""Service `directory`: which servers there are (R3, R7). All of it is signed by the issuer."""

from typing import Annotated

from msgspec import Meta

from fob_protocol.office.certificate import SERVERS_LIMIT
from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.envelope import Service, Successor, ask
from fob_protocol.office.message import Message, read


class ListServers(Message, tag=1, frozen=True):
    """The question."""


class Servers(Message, tag=1, frozen=True):
    """Signed certificates, and the signed revocation list."""

    certificates: Annotated[tuple[bytes, ...], Meta(max_length=SERVERS_LIMIT)]
    revocations: bytes


def ask_directory(speaker: Speaker, successor: Successor) -> Conversation[Servers]:
    """All of it is signed by the issuer, so it does not matter whether the keys that are asked still hold."""
    question = ListServers().octets()
    answer = yield ask(speaker.server, Service.DIRECTORY, question, speaker.random, successor)
    return read(Servers, answer.body)

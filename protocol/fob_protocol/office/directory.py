"""Service `directory`: which servers there are (R3, R7). All of it is signed by the issuer."""

from typing import Annotated

from msgspec import Meta

from fob_protocol.office.certificate import SERVERS_LIMIT
from fob_protocol.office.message import Message


class ListServers(Message, tag=1, frozen=True):
    """The question."""


class Servers(Message, tag=1, frozen=True):
    """Signed certificates, and the signed revocation list."""

    certificates: Annotated[tuple[bytes, ...], Meta(max_length=SERVERS_LIMIT)]
    revocations: bytes

"""What a role of the office is: which services it answers, and what an operator may ask of it over HTTP."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fastapi import APIRouter

from fob_office.office import Office
from fob_office.servers.identity import Identity
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service


@dataclass(frozen=True, slots=True)
class Body:
    """What a device said to a server. `question` is H of the sealed question: the same one again has the same."""

    service: Service
    server: Identity
    octets: bytes = field(repr=False)
    question: bytes


class Handler(Protocol):
    """Called in a thread, for many devices at the same time."""

    def __call__(self, body: Body, /) -> bytes:
        """The octets of the answering message.

        Raises RefusedError (better RuleBrokenError, which names the clause) to refuse. An OfficeError that leaves
        it is refused as `malformed`: whoever must not tell why catches his own. What a database cannot do now
        (`database.session.CANNOT_NOW`) leaves it too, and the device is told when to ask again.
        """


@dataclass(frozen=True, slots=True)
class Role:
    """One row of `roles.ROLES`. `services` says which usage a server's certificate must have for each."""

    name: str
    services: Mapping[Service, Usage]
    handlers: Callable[[Office], Mapping[Service, Handler]]
    # Routes under /v1/operator; every one of them needs a token.
    operator: Callable[[Office], Sequence[APIRouter]] | None = None
    # What it does by itself once in a while, in a thread, wherever the office runs.
    round: Callable[[Office], None] | None = None

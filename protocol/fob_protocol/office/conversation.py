"""Conversations with an office, without I/O: each yields a question, is sent its answer, and returns what came of it.

One that is dropped anywhere, as by a power cut, is begun again from what was kept before its questions were sent.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar

from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Certificate
from fob_protocol.office.envelope import Answer, Asked, Service, ask
from fob_protocol.office.message import Message

ResultT = TypeVar("ResultT")

# Questions out, opened answers in. Each raises OfficeError for an answer that breaks a rule.
Conversation = Generator[Asked, Answer, ResultT]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Asks one server."""

    server: Certificate
    random: Random = field(repr=False)

    def ask(self, service: Service, message: Message) -> Asked:
        """A question under way."""
        return ask(self.server, service, message.octets(), self.random)

"""What is said to service `metering`, and to whom (docs/meter-protocol.md, section 4)."""

from typing import Final, TypeVar

from fob_device.office.talker import Talker
from fob_protocol.metering.answers import SignedUp, TermsGiven
from fob_protocol.metering.passes import Kind, Pass, read_pass
from fob_protocol.metering.requests import Ask, SignOn, SignUp, Terms
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Message, read

MessageT = TypeVar("MessageT", bound=Message)

# Of a request, in octets.
ID_SIZE: Final = 16


def server_for(talker: Talker, usage: Usage) -> Certificate:
    """The server with a usage that the directory tells of. Raises OfficeError."""
    listed = talker.known.listed(usage)
    if not listed:
        raise OfficeError(Fault.OTHER_SERVER, f"no server for {usage.name.lower()} is known")
    return talker.known.server(listed[0].server, usage, talker.now)


def ask_terms(speaker: Speaker) -> Conversation[TermsGiven]:
    """What may be had."""
    answer = yield speaker.ask(Service.METERING, Terms())
    return read(TermsGiven, answer.body)


def ask_joining(speaker: Speaker, message: SignUp | SignOn) -> Conversation[SignedUp]:
    """A sign-up or sign-on."""
    answer = yield speaker.ask(Service.METERING, message)
    return read(SignedUp, answer.body)


def ask_authenticated(speaker: Speaker, authenticated: bytes, kind: type[MessageT]) -> Conversation[MessageT]:
    """A request with its code."""
    answer = yield speaker.ask(Service.METERING, Ask(authenticated))
    return read(kind, answer.body)


def authentication_box(terms: TermsGiven, manufacturing: bytes, now: int, random: Random) -> Pass:
    """One of those that passwords may be sealed to, by its pass. Raises OfficeError."""
    shown = [read_pass(manufacturing, signed) for signed in terms.passes]
    good = [one for one in shown if one.kind is Kind.AUTHENTICATION and one.not_after >= now]
    if len(good) < len(shown):
        raise OfficeError(Fault.WRONG_SIGNATURE, "the pass of a box that takes no passwords, or not any more")
    return good[random(1)[0] % len(good)]

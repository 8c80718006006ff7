"""Asking for a configuration, its content, and the report (C3 to C6, C15, C19, C24)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from fob_device.components.boot_record import BootRecord, Ended
from fob_device.components.equipment import Equipment
from fob_device.components.installer import Wanted
from fob_protocol.office.configuration import (
    ChallengeAnswer,
    Chunk,
    Configure,
    Current,
    GetChallenge,
    GetChunk,
    Granted,
    Purpose,
    Report,
    Reported,
    Request,
    SendReport,
    Variant,
    seal_identifier,
    sign_report,
    sign_request,
)
from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.envelope import Service
from fob_protocol.office.message import Challenge, Message, read, read_one_of

_ANSWERS: Final[tuple[type[Granted | Current], ...]] = (Granted, Current)


class PendingRequest(Message, tag=1, frozen=True):
    """A signed request that may have been sent: sent again, it is the same octets and gets the same answer.

    `certificate` is the signed one of the server that it is for.
    """

    certificate: bytes
    purpose: Purpose
    variant: Variant
    challenge: Challenge
    request: bytes


@dataclass(frozen=True, slots=True)
class Requesting:
    """How this device asks: `next_counter` gives a number that no request has had, and none will have again."""

    device: Equipment
    variant: Variant
    next_counter: Callable[[], int]
    keep: Callable[[PendingRequest], None]

    def ask(
        self, speaker: Speaker, certificate: bytes, purpose: Purpose, held: BootRecord, damaged: Collection[str]
    ) -> Conversation[Granted | Current]:
        """With a new challenge; the signed request is kept before it leaves. `damaged`: what is to come anew."""
        answer = yield speaker.ask(Service.CONFIGURATION, GetChallenge())
        challenge = read(ChallengeAnswer, answer.body).challenge
        request = self._request(speaker, challenge, purpose, held, damaged)
        signed = sign_request(self.device.signing_key, self.variant, self.device.serial, request)
        pending = PendingRequest(certificate, purpose, self.variant, challenge, signed)
        self.keep(pending)
        return (yield from ask_again(speaker, pending))

    def _request(
        self, speaker: Speaker, challenge: bytes, purpose: Purpose, held: BootRecord, damaged: Collection[str]
    ) -> Request:
        identifier = None
        if self.variant is Variant.SEALED_IDENTIFIER:
            identifier = seal_identifier(speaker.server.sealing_key, challenge, self.device.serial)
        return Request(
            purpose,
            self.device.signing_key.public_key().public_bytes_raw(),
            identifier,
            challenge,
            self.next_counter(),
            self.device.hardware,
            held.set_number,
            held.security_counter,
            tuple(component for component in held.catalogue if component.id not in damaged),
        )


def ask_again(speaker: Speaker, pending: PendingRequest) -> Conversation[Granted | Current]:
    """The signed request as it is kept."""
    answer = yield speaker.ask(Service.CONFIGURATION, Configure(pending.variant, pending.request))
    return read_one_of(_ANSWERS, answer.body)


def fetch_chunk(speaker: Speaker, ticket: bytes, wanted: Wanted) -> Conversation[bytes]:
    """Of the content of a release."""
    answer = yield speaker.ask(Service.CONTENT, GetChunk(ticket, wanted.release, wanted.index))
    return read(Chunk, answer.body).data


def make_report(device: Equipment, counter: int, ended: Ended, held: BootRecord) -> bytes:
    """What became of the last set, signed."""
    report = Report(
        device.signing_key.public_key().public_bytes_raw(),
        counter,
        ended.set_number,
        ended.outcome,
        ended.reason,
        held.security_counter,
        held.catalogue,
    )
    return sign_report(device.signing_key, report)


def send_report(speaker: Speaker, report: bytes) -> Conversation[None]:
    """Until it is answered it is sent again."""
    answer = yield speaker.ask(Service.REPORT, SendReport(report))
    read(Reported, answer.body)

"""Registration at a server (R7 to R18): what is asked for, a request that is kept before it leaves, the key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Certificate, Usage
from fob_protocol.office.conversation import Conversation, Speaker
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import digest
from fob_protocol.office.known import Known
from fob_protocol.office.message import Message, Octets32, read
from fob_protocol.office.registration import (
    NAME,
    GetTemplate,
    Register,
    RegisterAnswer,
    Reply,
    Request,
    Template,
    TemplateAnswer,
    authentication_key,
    open_reply,
)

_SECRET_SIZE = 32
_NONCE_SIZE = 16


class FieldsError(Exception):
    """What was filled in is not what the template asks for."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a server asks for, with both signed objects as they came."""

    template: Template
    signed_certificate: bytes = field(repr=False)
    signed_template: bytes = field(repr=False)


class PendingRegistration(Message, tag=1, frozen=True):
    """A request that may have been sent: kept under the PIN until the shared key is, so that it is sent unchanged."""

    certificate: bytes
    template: bytes
    request: bytes
    ssk1: Octets32
    fields: dict[str, str]

    def __repr__(self) -> str:
        return "PendingRegistration(...)"


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a registration comes to; `key` is K."""

    reply: Reply
    key: bytes = field(repr=False)


def fetch_template(
    speaker: Speaker, known: Known, clock: int, keep: Callable[[Known], None]
) -> Conversation[tuple[Certificate, Offered]]:
    """The server's certificate is checked and kept, and only then its template is read (R9, R10)."""
    answer = yield speaker.ask(Service.REGISTRATION, GetTemplate())
    message = read(TemplateAnswer, answer.body)
    known, server = known.with_server(message.certificate, speaker.server.server, Usage.REGISTRATION, clock)
    keep(known)
    template = _read_template(server, message.template, known.now(clock).time)
    return server, Offered(template, message.certificate, message.template)


def begin_registration(
    offered: Offered, fields: Mapping[str, str], key: Ed25519PrivateKey, random: Random
) -> PendingRegistration:
    """A new request with a new SSK1. Raises FieldsError."""
    _check_fields(offered.template, fields)
    ssk1 = random(_SECRET_SIZE)
    request = Request(random(_NONCE_SIZE), key.public_key().public_bytes_raw(), ssk1, dict(fields))
    context = [digest(offered.signed_certificate), digest(offered.signed_template)]
    signed = sign1.sign(key, Label.REGISTRATION_REQUEST, context, request.octets())
    return PendingRegistration(offered.signed_certificate, offered.signed_template, signed, ssk1, dict(fields))


def pending_template(pending: PendingRegistration) -> Template:
    """It was verified before it was kept."""
    return read(Template, sign1.unverified_payload(pending.template))


def register(speaker: Speaker, pending: PendingRegistration) -> Conversation[Agreed]:
    """`speaker` asks the server of the pending certificate. Raises OfficeError WRONG_REPLY too."""
    answer = yield speaker.ask(Service.REGISTRATION, Register(pending.request))
    sealed = read(RegisterAnswer, answer.body).reply
    reply = open_reply(sealed, pending.ssk1, pending.request, pending_template(pending).form)
    key = authentication_key(
        speaker.server.server,
        reply,
        pending.ssk1,
        certificate=pending.certificate,
        template=pending.template,
        request=pending.request,
    )
    return Agreed(reply, key)


def _read_template(server: Certificate, signed: bytes, time: int) -> Template:
    try:
        template = read(Template, sign1.verify(server.signing_key, Label.REGISTRATION_TEMPLATE, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"not {server.server}'s template: {error}") from None
    if template.server != server.server:
        raise OfficeError(Fault.OTHER_SERVER, f"a template of {template.server}")
    if template.until < time:
        raise OfficeError(Fault.EXPIRED, "the template is over")
    if NAME not in [field.name for field in template.fields]:
        raise OfficeError(Fault.MALFORMED, "a template without a name")
    return template


def _check_fields(template: Template, given: Mapping[str, str]) -> None:
    asked = {field.name: field for field in template.fields}
    for name, text in given.items():
        if name not in asked:
            raise FieldsError(f"there is no field {name}")
        if len(text.encode()) > asked[name].limit:
            raise FieldsError(f"{name} has more than {asked[name].limit} octets")
    for name, field_ in asked.items():
        if field_.is_required and not given.get(name, "").strip():
            raise FieldsError(f"{name} is missing")

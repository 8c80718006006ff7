"""Service `registration`: a device and a server make a shared key that nobody else knows (R7 to R18, MP6, MP7)."""

from enum import IntEnum
from typing import Annotated

from msgspec import Meta

from fob_protocol.cose import encrypt0
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.hashing import derive, digest
from fob_protocol.office.limits import FIELD_LIMIT, FIELDS_LIMIT, PATH_LIMIT
from fob_protocol.office.message import Message, Name, Nonce, Octets32, Time, Title, read

# The field that every template has.
NAME: str = "name"

FieldText = Annotated[str, Meta(max_length=FIELD_LIMIT)]


class Form(IntEnum):
    """Whether the server adds a secret of its own (R13), or only the client does (R17)."""

    FULL = 1
    REDUCED = 2


class GetTemplate(Message, tag=1, frozen=True):
    """What is there to fill in?"""


class TemplateAnswer(Message, tag=1, frozen=True):
    """Both signed: by the issuer, by the server."""

    certificate: bytes
    template: bytes


class Field(Message, frozen=True):
    """Something for the person to fill in; `limit` in octets."""

    name: Name
    label: Title
    limit: Annotated[int, Meta(ge=1, le=FIELD_LIMIT)]
    is_required: bool


class Template(Message, tag=1, frozen=True):
    """*registration template*: what an application wants to know (R11)."""

    server: Name
    application: Name
    title: Title
    fields: Annotated[tuple[Field, ...], Meta(min_length=1, max_length=FIELDS_LIMIT)]
    form: Form
    until: Time


class Register(Message, tag=2, frozen=True):
    """`request` is signed by the device."""

    request: bytes


class Request(Message, tag=1, frozen=True):
    """*registration request*. The same request again has the same octets, and so the same id."""

    request_id: Nonce
    signing_key: Octets32
    ssk1: Octets32
    fields: Annotated[dict[Name, FieldText], Meta(max_length=FIELDS_LIMIT)]

    def __repr__(self) -> str:
        return "Request(...)"


class RegisterAnswer(Message, tag=2, frozen=True):
    """`reply` is sealed under SSK1."""

    reply: bytes


class Reply(Message, frozen=True):
    """*registration reply*; `ssk2` is empty in the reduced form."""

    access_path: Annotated[str, Meta(max_length=PATH_LIMIT)]
    user_code: Nonce
    ssk2: Annotated[bytes, Meta(max_length=32)]

    def __repr__(self) -> str:
        return "Reply(...)"


def seal_reply(reply: Reply, ssk1: bytes, request: bytes, iv: bytes) -> bytes:
    """At the office: for whoever made SSK1, as the answer to this (signed) request."""
    return encrypt0.seal(_reply_key(ssk1), iv, Label.REGISTRATION_REPLY, [digest(request)], reply.octets())


def open_reply(sealed: bytes, ssk1: bytes, request: bytes, form: Form) -> Reply:
    """At the device. That it opens shows that the server holds its private key (R14). Raises OfficeError."""
    try:
        octets, _ = encrypt0.unseal(_reply_key(ssk1), Label.REGISTRATION_REPLY, [digest(request)], sealed)
    except CoseError as error:
        raise OfficeError(Fault.WRONG_REPLY, f"the reply is not for this request: {error}") from None
    reply = read(Reply, octets)
    if len(reply.ssk2) != (32 if form is Form.FULL else 0):
        raise OfficeError(Fault.WRONG_REPLY, "the reply has another form than the template says")
    return reply


def authentication_key(
    server: str, reply: Reply, ssk1: bytes, *, certificate: bytes, template: bytes, request: bytes
) -> bytes:
    """K, 32 octets, from what both sides know now; the last three as they were signed."""
    salt = digest(digest(certificate) + digest(template) + digest(request))
    return derive(ssk1 + reply.ssk2, salt, ["fob/1 authentication key", server, reply.user_code])


def _reply_key(ssk1: bytes) -> bytes:
    return derive(ssk1, None, ["fob/1 registration reply"])

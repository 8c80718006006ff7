"""Every kind of object that is signed or sealed, each of its octets changed in turn: none is taken.

What devices and offices make of such objects is in tests/components, tests/device_office and tests/office, too; here
is one of each label, so that no kind is left out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

import pytest

from fob_device.office.registration import fetch_template
from fob_protocol.cose import hpke, sign1
from fob_protocol.cose.cbor import Value
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import key_id
from fob_protocol.cose.labels import Label
from fob_protocol.errors import ProtocolError
from fob_protocol.office import envelope
from fob_protocol.office.bundle import open_bundle_key, seal_bundle_key
from fob_protocol.office.certificate import Usage, read_certificate, read_revocation_list
from fob_protocol.office.component import Kind
from fob_protocol.office.configuration import (
    Outcome,
    Purpose,
    Report,
    Request,
    Variant,
    read_report,
    request_context,
    seal_identifier,
    sign_report,
    sign_request,
)
from fob_protocol.office.conversation import Speaker
from fob_protocol.office.entitlements import Entitlements, State, read_entitlements
from fob_protocol.office.envelope import Answer, Service
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.factory import FactoryRecord, open_factory_record
from fob_protocol.office.hashing import digest
from fob_protocol.office.known import Known
from fob_protocol.office.manifest import Entry, Manifest, read_manifest
from fob_protocol.office.registration import Field, Form, Reply, Template, TemplateAnswer, open_reply, seal_reply
from fob_protocol.office.release import Release, open_content, read_release, seal_content, unwrap_key, wrap_key
from fob_protocol.office.session import Direction, SessionKeys
from fob_protocol.office.trust import Trust
from support.octets import octet_flips
from support.office_trust import DAY, ISSUER, ISSUER_KEY, NOW, SERVER, revocations

# Of docs/integrity-protocol.md, with tests of their own.
OF_INTEGRITY: Final = {
    Label.COPY_RECORD, Label.COPY_REQUEST, Label.ENROLMENT, Label.EVIDENCE, Label.VERDICT, Label.CLONE_PROOF,
    Label.PRESENTATION,
}  # fmt: skip
# Of docs/meter-protocol.md, likewise (tests/centre, tests/meter_log, tests/postal).
OF_METERING: Final = {
    Label.METER_RECORD, Label.USER_RECORD, Label.PERMISSION, Label.FUND_RECORD, Label.RECEIPT, Label.METER_ORDER,
    Label.USER_ORDER, Label.KEY_ORDER, Label.TRANSACTION_RECORD, Label.SIGN_UP, Label.SIGN_ON, Label.LOGIN,
    Label.USER_AUTHENTICATION_KEY, Label.INDICIUM_KEY, Label.OWNER_KEY, Label.METERING_REQUEST, Label.PASS,
    Label.MASTER, Label.VIEW, Label.CHECKPOINT, Label.VERIFICATION_CERTIFICATE,
    Label.LOG_ORDER, Label.MAILER_ORDER, Label.CHANGE, Label.DUE, Label.CHARGE_ORDER,
}  # fmt: skip
RANDOM: Final = Random(7)
SERIAL: Final = "FM-0001"
CHALLENGE: Final = RANDOM.randbytes(60)
SECRET: Final = RANDOM.randbytes(32)
CONTENT: Final = RANDOM.randbytes(80)
# The device's: its system key is the server's of these tests, which is as good as any.
SIGNING, SEALING = SERVER.signing, SERVER.sealing
DEVICE: Final = SIGNING.public_key().public_bytes_raw()
SEALED_TO: Final = SEALING.public_key().public_bytes_raw()
OFFICE: Final = SERVER.certificate(usages=tuple(Usage))
KEYS: Final = SessionKeys(bytes(16), SECRET, bytes(reversed(SECRET)))
ASKED: Final = envelope.ask(OFFICE, Service.SESSION, b"body", RANDOM.randbytes)
RELEASE: Final = Release(
    "rates", (1, 0, 0), "Rates", Kind.DATA, len(CONTENT), digest(CONTENT), 1, ("meter-1",), (), (), NOW, (bytes(32),)
)
SIGNED_RELEASE: Final = RELEASE.signed(SIGNING)
REQUEST: Final = Request(Purpose.FIRST, DEVICE, None, CHALLENGE, 1, "meter-1", 0, 0, ())
RECORD: Final = FactoryRecord(SERIAL, "meter-1", "A meter", DEVICE, SEALED_TO, SECRET, ())
SIGNED_RECORD: Final = sign1.sign(SIGNING, Label.FACTORY_RECORD, [], RECORD.octets())
SIGNED_ANSWER: Final = sign1.sign(
    SIGNING, Label.ANSWER, [Service.SESSION, digest(ASKED.sealed)], Answer(NOW, b"body").octets()
)
TEMPLATE: Final = Template("bank", "letters", "Letters", (Field("name", "Name", 64, True),), Form.FULL, NOW + DAY)
ENTITLEMENTS: Final = Entitlements(
    "bank", bytes(16), key_id(DEVICE), 1, NOW, NOW + DAY, State.ACTIVE, (), {"reports": 1}, ("rates",)
)


@dataclass(frozen=True)
class Object:
    """What is made, who opens it, and what that one says to any other octets."""

    label: Label
    octets: bytes
    open: Callable[[bytes], object]
    refused: Fault | type[CoseError] = CoseError


def resealed_answer(signed: bytes) -> object:
    """By somebody who knows the reply key; only the server does."""
    key = ASKED.reply_key.public_key().public_bytes_raw()
    context: list[Value] = [Service.SESSION, digest(ASKED.sealed)]
    return ASKED.open(hpke.seal_to(key, Label.ANSWER, context, signed))


def resealed_record(signed: bytes) -> object:
    """Anybody can seal to an office."""
    return open_factory_record(SEALING, hpke.seal_to(SEALED_TO, Label.FACTORY_RECORD, [], signed))


def template(signed: bytes) -> object:
    """As a device reads it."""
    conversation = fetch_template(Speaker(OFFICE, RANDOM.randbytes), Known(Trust(ISSUER_KEY, NOW)), NOW, lambda _: None)
    next(conversation)
    with pytest.raises(StopIteration):
        conversation.send(Answer(NOW, TemplateAnswer(OFFICE.signed(ISSUER), signed).octets()))
    return None


def request(variant: Variant) -> Object:
    context = request_context(variant, SERIAL)
    return Object(
        Label.CONFIGURATION_REQUEST, sign_request(SIGNING, variant, SERIAL, REQUEST),
        lambda octets: sign1.verify(DEVICE, Label.CONFIGURATION_REQUEST, context, octets),
    )  # fmt: skip


def session_message(direction: Direction, number: int, refused: Fault) -> Object:
    return Object(
        Label.SESSION_MESSAGE, KEYS.seal(direction, number, b"message"),
        lambda octets: KEYS.unseal(direction, number, octets), refused,
    )  # fmt: skip


OBJECTS: Final = {
    "server certificate": Object(
        Label.SERVER_CERTIFICATE, OFFICE.signed(ISSUER), lambda octets: read_certificate(ISSUER_KEY, octets),
        Fault.WRONG_ISSUER,
    ),
    "revocation list": Object(
        Label.REVOCATION_LIST, revocations(epochs={"bank": 2}).signed(ISSUER),
        lambda octets: read_revocation_list(ISSUER_KEY, octets), Fault.WRONG_ISSUER,
    ),
    "question": Object(
        Label.QUESTION, ASKED.sealed, lambda octets: envelope.open_question(SEALING, Service.SESSION, octets)
    ),
    "answer, sealed": Object(
        Label.ANSWER,
        envelope.seal_answer(
            SIGNING, Service.SESSION, envelope.open_question(SEALING, Service.SESSION, ASKED.sealed), ASKED.sealed,
            NOW, b"body",
        ),
        ASKED.open, Fault.STALE_ANSWER,
    ),
    "answer, signed": Object(Label.ANSWER, SIGNED_ANSWER, resealed_answer, Fault.WRONG_SIGNATURE),
    "registration template": Object(
        Label.REGISTRATION_TEMPLATE, sign1.sign(SIGNING, Label.REGISTRATION_TEMPLATE, [], TEMPLATE.octets()), template,
        Fault.WRONG_SIGNATURE,
    ),
    "registration request": Object(
        Label.REGISTRATION_REQUEST, sign1.sign(SIGNING, Label.REGISTRATION_REQUEST, [bytes(32)] * 2, b"request"),
        lambda octets: sign1.verify(DEVICE, Label.REGISTRATION_REQUEST, [bytes(32)] * 2, octets),
    ),
    "registration reply": Object(
        Label.REGISTRATION_REPLY, seal_reply(Reply("/v1/session", bytes(16), SECRET), SECRET, b"request", bytes(12)),
        lambda octets: open_reply(octets, SECRET, b"request", Form.FULL), Fault.WRONG_REPLY,
    ),
    "session proof of the server": session_message(Direction.TO_DEVICE, 0, Fault.WRONG_PROOF),
    "session message to the server": session_message(Direction.TO_SERVER, 1, Fault.OUT_OF_ORDER),
    "session message to the device": session_message(Direction.TO_DEVICE, 1, Fault.OUT_OF_ORDER),
    "entitlements": Object(
        Label.ENTITLEMENTS, ENTITLEMENTS.signed(SIGNING),
        lambda octets: read_entitlements(
            OFFICE, octets, user_code=bytes(16), device=key_id(DEVICE), held=0, time=NOW
        ),
        Fault.WRONG_SIGNATURE,
    ),
    "factory record, sealed": Object(
        Label.FACTORY_RECORD, RECORD.sealed(SIGNING, SEALED_TO), lambda octets: open_factory_record(SEALING, octets),
        Fault.WRONG_SIGNATURE,
    ),
    "factory record, signed": Object(
        Label.FACTORY_RECORD, SIGNED_RECORD, resealed_record, Fault.WRONG_SIGNATURE
    ),
    "configuration request 1": request(Variant.SEALED_IDENTIFIER),
    "configuration request 2": request(Variant.SIGNED_REQUEST),
    "identifier": Object(
        Label.IDENTIFIER, seal_identifier(SEALED_TO, CHALLENGE, SERIAL),
        lambda octets: hpke.unseal_with(SEALING, Label.IDENTIFIER, [CHALLENGE], octets),
    ),
    "device manifest": Object(
        Label.DEVICE_MANIFEST,
        Manifest(
            key_id(DEVICE), CHALLENGE, 1, "meter-1", NOW, NOW + DAY, 1, (Entry("rates", bytes(32), "data", 0, 1),)
        ).signed(SIGNING),
        lambda octets: read_manifest(OFFICE, octets, key_id(DEVICE), CHALLENGE), Fault.WRONG_SIGNATURE,
    ),
    "release": Object(
        Label.RELEASE, SIGNED_RELEASE, lambda octets: read_release(OFFICE, octets), Fault.WRONG_SIGNATURE
    ),
    "content": Object(
        Label.CONTENT, seal_content("rates", (1, 0, 0), CONTENT, SECRET, bytes(12)),
        lambda octets: open_content(RELEASE, octets, SECRET), Fault.WRONG_DIGEST,
    ),
    "content key": Object(
        Label.CONTENT_KEY, wrap_key(SECRET, SEALED_TO, SIGNED_RELEASE),
        lambda octets: unwrap_key(octets, SEALING, SIGNED_RELEASE), Fault.OTHER_DEVICE,
    ),
    "bundle key": Object(
        Label.BUNDLE_KEY, seal_bundle_key(SECRET, SEALED_TO, RELEASE),
        lambda octets: open_bundle_key(SEALING, octets, RELEASE), Fault.OTHER_SERVER,
    ),
    "report": Object(
        Label.REPORT, sign_report(SIGNING, Report(DEVICE, 1, 1, Outcome.CONFIRMED, "", 0, ())), read_report,
        Fault.WRONG_SIGNATURE,
    ),
}  # fmt: skip


def test_no_kind_of_object_is_left_out() -> None:
    assert {one.label for one in OBJECTS.values()} == set(Label) - OF_INTEGRITY - OF_METERING


@pytest.mark.clause("C5", "C8", "C20", "C23", "C25", "R9", "R12", "R14", "R20", "R21", "R27")
@pytest.mark.parametrize("one", OBJECTS.values(), ids=OBJECTS)
def test_each_octet(one: Object) -> None:
    one.open(one.octets)
    for octets in (*octet_flips(one.octets), one.octets[:-1], one.octets + b"\0", b""):
        with pytest.raises(ProtocolError) as raised:
            one.open(octets)
        if isinstance(raised.value, OfficeError):
            assert raised.value.fault in (one.refused, Fault.MALFORMED)
        else:
            assert one.refused is CoseError

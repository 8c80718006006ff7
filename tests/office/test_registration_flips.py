"""Every octet of every signed or sealed object of a registration and a session, turned in turn, is refused."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from fob_office.answering import UnreadableError
from fob_protocol.cose.headers import key_id
from fob_protocol.errors import ProtocolError
from fob_protocol.office.certificate import Usage
from fob_protocol.office.entitlements import EntitlementsAnswer, GetEntitlements, read_entitlements
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message
from fob_protocol.office.registration import GetTemplate, Register, RegisterAnswer, TemplateAnswer, open_reply
from fob_protocol.office.session import Direction, Proved, Said, Say
from support.octets import octet_flips
from support.office import OfficeScene
from support.office_client import Draft, ReferenceDevice, device_of

Check = Callable[[bytes], object]


def refuses_each(octets: bytes, check: Check, *errors: type[Exception]) -> None:
    check(octets)
    for damaged in octet_flips(octets):
        with pytest.raises(errors or (ProtocolError,)):
            check(damaged)


@pytest.fixture
def device(sqlite_scene: OfficeScene) -> ReferenceDevice:
    made = device_of(sqlite_scene)
    made.learn_servers()
    return made


def drafted(device: ReferenceDevice) -> Draft:
    return device.draft(device.get_form("registration"), {"name": "Alice"})


@pytest.mark.clause("R9", "R10")
def test_certificate_and_template(device: ReferenceDevice) -> None:
    got = device.ask(Service.REGISTRATION, "registration", Usage.REGISTRATION, GetTemplate(), TemplateAnswer)
    refuses_each(
        got.certificate, lambda octets: device.check_form("registration", TemplateAnswer(octets, got.template))
    )
    refuses_each(
        got.template, lambda octets: device.check_form("registration", TemplateAnswer(got.certificate, octets))
    )


@pytest.mark.clause("R12")
def test_request(device: ReferenceDevice) -> None:
    def submit(octets: bytes) -> None:
        device.ask(Service.REGISTRATION, "registration", Usage.REGISTRATION, Register(octets), RegisterAnswer)

    refuses_each(drafted(device).request, submit, RefusedError)


@pytest.mark.clause("R14")
def test_reply(device: ReferenceDevice) -> None:
    draft = drafted(device)
    message = Register(draft.request)
    got = device.ask(Service.REGISTRATION, "registration", Usage.REGISTRATION, message, RegisterAnswer)
    refuses_each(got.reply, lambda octets: open_reply(octets, draft.ssk1, draft.request, draft.form.template.form))


@pytest.mark.clause("R12", "R20")
@pytest.mark.parametrize("service", [Service.REGISTRATION, Service.SESSION])
def test_question_and_answer(sqlite_scene: OfficeScene, device: ReferenceDevice, service: Service) -> None:
    if service is Service.SESSION:
        device.register("Alice")
    body: Message | bytes = GetTemplate() if service is Service.REGISTRATION else b"\x80"
    asked = sqlite_scene.question(service, "registration", body)
    answered = sqlite_scene.answering.answer(service, asked.sealed)
    refuses_each(asked.sealed, lambda octets: sqlite_scene.answering.answer(service, octets), UnreadableError)

    def opens(octets: bytes) -> None:
        with suppress(RefusedError):
            asked.open(octets)

    refuses_each(answered, opens)
    other = sqlite_scene.question(service, "registration", body)
    with pytest.raises(ProtocolError, match="stale-answer"):
        other.open(answered)
    another = Service.SESSION if service is Service.REGISTRATION else Service.REGISTRATION
    with pytest.raises(UnreadableError):
        sqlite_scene.answering.answer(another, asked.sealed)


@pytest.mark.clause("R19", "R20")
def test_proofs_and_session_messages(device: ReferenceDevice) -> None:
    device.register("Alice")
    session = device.begin()
    session.open()
    proof = session.proof
    proved = session.ask(proof, Proved)
    session.prove()
    keys = session.keys
    assert keys is not None
    refuses_each(proved.sealed, lambda octets: keys.unseal(Direction.TO_DEVICE, 0, octets))
    said = session.ask(session.seal(GetEntitlements(None, 0)), Said)
    refuses_each(said.sealed, lambda octets: keys.unseal(Direction.TO_DEVICE, 1, octets))


@pytest.mark.clause("R20")
def test_a_damaged_message_ends_its_session(device: ReferenceDevice) -> None:
    device.register("Alice")
    session = device.session()
    assert session.keys is not None
    sealed = session.keys.seal(Direction.TO_SERVER, 1, GetEntitlements(None, 0).octets())
    for damaged in octet_flips(sealed):
        session = device.session()
        assert session.keys is not None
        with pytest.raises(RefusedError, match="out-of-order"):
            session.ask(Say(session.keys.session, 1, damaged), Said)


@pytest.mark.clause("R21")
def test_entitlements(sqlite_scene: OfficeScene, device: ReferenceDevice) -> None:
    code = device.register("Alice").user_code
    signed = device.session().say(GetEntitlements(None, 0), EntitlementsAnswer).entitlements
    server, now = sqlite_scene.certificate("registration"), sqlite_scene.clock.time
    own = key_id(device.signing_key)
    refuses_each(signed, lambda octets: read_entitlements(server, octets, user_code=code, device=own, held=0, time=now))

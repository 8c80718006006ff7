"""Registration: what a server asks for, who gets a name, and what is said again when an answer was lost."""

import pytest
from sqlalchemy import select

from fob_office.registration.keeping import key_of
from fob_office.registration.operating import Registrar
from fob_office.registration.tables import Registration, Standing
from fob_office.registration.templates import FieldSetting, TemplateSetting, presets
from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from fob_protocol.office.certificate import Usage
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import CONFIRM_TIME
from fob_protocol.office.message import Message
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import Form, Register, RegisterAnswer, Request, TemplateAnswer
from support.office import NOW, OfficeScene
from support.office_client import Draft, ReferenceDevice, device_of

DAY = 86_400


def set_template(scene: OfficeScene, setting: TemplateSetting, server: str = "registration") -> None:
    Registrar(scene.office).set_template(server, setting)


def rows(scene: OfficeScene) -> list[Registration]:
    with scene.office.database.read() as session:
        return list(session.scalars(select(Registration).order_by(Registration.created, Registration.name)))


def drafted(device: ReferenceDevice, name: str, **fields: str) -> Draft:
    device.learn_servers()
    return device.draft(device.get_form("registration"), {"name": name} | fields)


def refusal(device: ReferenceDevice, draft: Draft) -> Refusal:
    with pytest.raises(RefusedError) as refused:
        device.submit(draft)
    return refused.value.refusal


@pytest.mark.clause("R8", "R11")
def test_a_server_asks_for_what_its_application_needs(scene: OfficeScene) -> None:
    set_template(scene, presets()["banking"])
    device = device_of(scene)
    device.learn_servers()
    template = device.get_form("registration").template
    assert (template.application, template.form, template.title) == (
        "banking",
        Form.FULL,
        "Open banking on this device",
    )
    assert [(field.name, field.limit, field.is_required) for field in template.fields] == [
        ("name", 64, True),
        ("contract", 32, True),
        ("branch", 64, False),
    ]


@pytest.mark.clause("R11")
def test_every_template_has_a_name_even_where_nobody_set_one(scene: OfficeScene) -> None:
    device = device_of(scene)
    device.learn_servers()
    assert [field.name for field in device.get_form("registration").template.fields] == ["name"]


@pytest.mark.clause("R11")
@pytest.mark.parametrize("preset", presets())
def test_each_template_that_comes_with_fob_can_be_filled_in(sqlite_scene: OfficeScene, preset: str) -> None:
    set_template(sqlite_scene, presets()[preset])
    device = device_of(sqlite_scene)
    device.learn_servers()
    form = device.get_form("registration")
    device.submit(device.draft(form, {field.name: "x" * field.limit for field in form.template.fields}))


@pytest.mark.clause("R9", "R10")
def test_what_another_issuer_certified_is_not_read_any_further(scene: OfficeScene) -> None:
    device = device_of(scene)
    device.learn_servers()
    got = device.ask(Service.REGISTRATION, "registration", Usage.REGISTRATION, b"\x81\x01", TemplateAnswer)
    known = dict(device.certificates)
    certificate = device.trust.check(got.certificate, None, Usage.REGISTRATION)
    itself = TemplateAnswer(sign1.sign(device.system_key, Label.SERVER_CERTIFICATE, [], certificate.octets()), b"")
    with pytest.raises(OfficeError) as raised:
        device.check_form("registration", itself)
    assert raised.value.fault is Fault.WRONG_ISSUER
    assert device.certificates == known


@pytest.mark.clause("R12", "R13", "R14", "R15")
def test_device_and_server_come_to_the_same_key(scene: OfficeScene) -> None:
    device = device_of(scene)
    reply = device.submit(drafted(device, "Alice"))
    [row] = rows(scene)
    shared = device.shared["registration"]
    assert key_of(scene.office.sealer, row) == shared.key
    assert (row.user_code, reply.access_path, len(reply.ssk2)) == (shared.user_code, "/v1/session", 32)
    assert (row.standing, row.device) == (Standing.PENDING, device.signing_key)


@pytest.mark.clause("R5", "R13")
def test_every_client_has_a_key_and_a_code_of_its_own(scene: OfficeScene) -> None:
    shared = [device_of(scene, seed).register(f"person {seed}") for seed in range(1, 5)]
    assert len({one.key for one in shared}) == len({one.user_code for one in shared}) == 4


@pytest.mark.clause("R17")
def test_in_the_reduced_form_only_the_device_makes_the_key(scene: OfficeScene) -> None:
    set_template(scene, presets()["general"].model_copy(update={"form": "reduced"}))
    device = device_of(scene)
    draft = drafted(device, "Alice")
    assert draft.form.template.form is Form.REDUCED
    assert device.submit(draft).ssk2 == b""
    assert device.submit(draft).ssk2 == b""
    device.session()
    assert key_of(scene.office.sealer, rows(scene)[0]) == device.shared["registration"].key


@pytest.mark.clause("R18")
def test_a_device_registers_at_every_server_with_independent_keys(scene: OfficeScene) -> None:
    scene.issuing().add_server("bank", "Bank", (Usage.REGISTRATION, Usage.ENTITLEMENT))
    device = device_of(scene)
    first = device.register("Alice")
    second = device.register("Alice", "bank")
    assert first.key != second.key
    assert first.user_code != second.user_code
    assert [device.session(server).get_entitlements().server for server in ("registration", "bank")] == [
        "registration",
        "bank",
    ]


@pytest.mark.clause("R1", "R2", "R4", "R16")
def test_any_token_registers_with_the_issuers_key_alone_and_no_third_party(scene: OfficeScene) -> None:
    device = device_of(scene)
    assert device.shared == {}
    (scene.office.settings.state / "issuer.key").unlink(missing_ok=True)
    assert device.register("Alice").server == "registration"


@pytest.mark.clause("R25")
@pytest.mark.parametrize("other", ["Alice", "ALICE", "\uff21lice", " alice  ", "al\u200bice", "a\u00adlice"])
def test_a_name_has_one_holder_however_it_is_written(sqlite_scene: OfficeScene, other: str) -> None:
    device_of(sqlite_scene).register("alice")
    second = device_of(sqlite_scene, 2)
    assert refusal(second, drafted(second, other)) is Refusal.NAME_TAKEN


@pytest.mark.clause("R25")
def test_a_name_is_taken_by_who_has_only_begun_and_on_one_server_only(scene: OfficeScene) -> None:
    scene.issuing().add_server("bank", "Bank", (Usage.REGISTRATION, Usage.ENTITLEMENT))
    first, second = device_of(scene), device_of(scene, 2)
    first.submit(drafted(first, "Straße"))
    assert refusal(second, drafted(second, "STRASSE")) is Refusal.NAME_TAKEN
    second.register("STRASSE", "bank")


@pytest.mark.clause("R25")
def test_its_holder_too_registers_a_confirmed_name_no_second_time(scene: OfficeScene) -> None:
    device = device_of(scene)
    device.register("Alice")
    assert refusal(device, drafted(device, "Alice")) is Refusal.NAME_TAKEN
    device.session()


@pytest.mark.clause("R26")
def test_the_same_request_is_given_the_same_secret_and_code_again(scene: OfficeScene) -> None:
    device = device_of(scene)
    draft = drafted(device, "Alice")
    first = device.submit(draft)
    for _ in range(3):
        scene.clock.pass_by(3600)
        assert device.submit(draft) == first
    assert len(rows(scene)) == 1
    device.session()


@pytest.mark.clause("R26")
def test_also_when_the_template_was_changed_or_is_over_meanwhile(scene: OfficeScene) -> None:
    device = device_of(scene)
    draft = drafted(device, "Alice")
    first = device.submit(draft)
    set_template(scene, presets()["health"])
    scene.clock.pass_by(CONFIRM_TIME)
    assert device.submit(draft) == first


@pytest.mark.clause("R15", "R26")
def test_after_the_first_session_the_server_has_forgotten_its_secret(scene: OfficeScene) -> None:
    device = device_of(scene)
    draft = drafted(device, "Alice")
    device.submit(draft)
    device.session()
    [row] = rows(scene)
    assert (row.standing, row.ssk2, row.confirm_by) == (Standing.CONFIRMED, None, None)
    assert refusal(device, draft) is Refusal.OUT_OF_DATE
    device.session()


@pytest.mark.clause("R26")
def test_another_request_of_the_same_device_takes_the_place_of_the_first(scene: OfficeScene) -> None:
    device = device_of(scene)
    device.submit(drafted(device, "Alcie"))
    wrong = device.shared["registration"]
    device.submit(drafted(device, "Alice"))
    device.session()
    assert [row.name for row in rows(scene)] == ["Alice"]
    device.shared["registration"] = wrong
    with pytest.raises(RefusedError, match="not-proved"):
        device.session()


@pytest.mark.clause("R18", "R26")
def test_a_device_that_registers_anew_ends_its_old_registration_only_when_the_new_one_works(scene: OfficeScene) -> None:
    device = device_of(scene)
    old = device.register("Alice")
    device.submit(drafted(device, "Alice Example"))
    new = device.shared["registration"]
    device.shared["registration"] = old
    device.session()
    device.shared["registration"] = new
    device.session()
    device.shared["registration"] = old
    with pytest.raises(RefusedError, match="not-proved"):
        device.session()
    assert [(row.name, row.standing, row.authentication_key is None) for row in rows(scene)] == [
        ("Alice", Standing.REVOKED, True),
        ("Alice Example", Standing.CONFIRMED, False),
    ]


@pytest.mark.clause("R26")
def test_what_is_not_confirmed_within_a_day_is_forgotten(scene: OfficeScene) -> None:
    device = device_of(scene)
    device.submit(drafted(device, "Alice"))
    scene.clock.pass_by(CONFIRM_TIME)
    device.session()
    other = device_of(scene, 2)
    other.submit(drafted(other, "Bob"))
    scene.clock.pass_by(CONFIRM_TIME + 1)
    with pytest.raises(RefusedError, match="not-proved"):
        other.session()
    third = device_of(scene, 3)
    third.register("Bob")
    assert [row.name for row in rows(scene)] == ["Alice", "Bob"]


@pytest.mark.clause("R26")
def test_forgotten_registrations_are_erased_by_those_that_come_later(scene: OfficeScene) -> None:
    for seed in range(1, 4):
        device = device_of(scene, seed)
        device.submit(drafted(device, f"person {seed}"))
    scene.clock.pass_by(CONFIRM_TIME + 1)
    device_of(scene, 4).register("the next one")
    assert [row.name for row in rows(scene)] == ["the next one"]


@pytest.mark.clause("R11")
@pytest.mark.parametrize(
    "fields",
    [
        {"contract": "1"},
        {"name": "", "contract": "1"},
        {"name": " \u200b ", "contract": "1"},
        {"name": "Al\x00ice", "contract": "1"},
        {"name": "Al\nice", "contract": "1"},
        {"name": "Alice"},
        {"name": "Alice", "contract": " "},
        {"name": "Alice", "contract": "1", "pin": "1234"},
        {"name": "Alice", "contract": "\u00e9" * 17},
    ],
)
def test_fields_that_are_missing_too_long_or_not_asked_for_are_refused(
    sqlite_scene: OfficeScene, fields: dict[str, str]
) -> None:
    set_template(sqlite_scene, presets()["banking"])
    device = device_of(sqlite_scene)
    device.learn_servers()
    draft = device.draft(device.get_form("registration"), fields)
    assert refusal(device, draft) is Refusal.FIELDS_WRONG
    assert rows(sqlite_scene) == []


def forge(device: ReferenceDevice, draft: Draft, *context: bytes, key: bytes | None = None) -> Message:
    request = Request(bytes(16), key or device.signing_key, draft.ssk1, {"name": "Mallory"})
    return Register(sign1.sign(device.system_key, Label.REGISTRATION_REQUEST, list(context), request.octets()))


@pytest.mark.clause("R12")
def test_a_request_counts_only_with_its_devices_signature_for_this_certificate_and_template(scene: OfficeScene) -> None:
    device, other = device_of(scene), device_of(scene, 2)
    draft = drafted(device, "Alice")
    certificate, template = digest(draft.form.signed_certificate), digest(draft.form.signed_template)
    for forged in (
        forge(device, draft, certificate, digest(b"")),
        forge(device, draft, digest(b""), template),
        forge(device, draft, template, certificate),
        forge(device, draft, certificate, template, key=other.signing_key),
    ):
        with pytest.raises(RefusedError) as refused:
            device.ask(Service.REGISTRATION, "registration", Usage.REGISTRATION, forged, RegisterAnswer)
        assert refused.value.refusal is Refusal.OUT_OF_DATE
    assert rows(scene) == []


@pytest.mark.clause("R11", "R12")
def test_a_template_is_good_over_midnight_and_no_longer(scene: OfficeScene) -> None:
    device = device_of(scene)
    scene.clock.pass_by(DAY - NOW % DAY - 1)
    before_midnight = drafted(device, "Alice")
    scene.clock.pass_by(DAY)
    device.submit(before_midnight)
    late = device.draft(before_midnight.form, {"name": "Alice"})
    scene.clock.pass_by(1)
    assert refusal(device, late) is Refusal.OUT_OF_DATE


@pytest.mark.clause("R11")
def test_who_filled_in_an_older_template_is_told_to_look_again(scene: OfficeScene) -> None:
    device = device_of(scene)
    draft = drafted(device, "Alice")
    set_template(scene, TemplateSetting(application="x", title="X", fields={"n": FieldSetting(label="N", limit=3)}))
    assert refusal(device, draft) is Refusal.OUT_OF_DATE


@pytest.mark.clause("R27")
def test_a_registration_outlives_the_change_of_the_servers_keys(scene: OfficeScene) -> None:
    device = device_of(scene)
    shared = device.register("Alice")
    half_way = device_of(scene, 2)
    draft = drafted(half_way, "Bob")
    scene.issuing().change_keys("registration")
    half_way.submit(draft)
    device.learn_servers()
    assert device.session().get_entitlements().user_code == shared.user_code
    scene.issuing().revoke("registration", everything=False)
    half_way.learn_servers()
    half_way.session()
    half_way.submit(drafted(half_way, "Bob Example"))


@pytest.mark.clause("R27")
def test_with_revoked_keys_nothing_can_be_asked_any_more(scene: OfficeScene) -> None:
    device = device_of(scene)
    draft = drafted(device, "Alice")
    old = dict(device.certificates)
    scene.issuing().change_keys("registration")
    scene.issuing().revoke("registration", everything=False)
    with pytest.raises(Exception, match="no key of this office"):
        device.submit(draft)
    device.learn_servers()
    assert refusal(device, draft) is Refusal.OUT_OF_DATE
    device.certificates = old
    with pytest.raises(OfficeError) as raised:
        device.get_form("registration")
    assert raised.value.fault is Fault.REVOKED

"""One word for all that is wrong with who asks: the same answer, of the same length, after the same work (C28)."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from fob_office.devices.service import set_state
from fob_office.devices.tables import DeviceState
from fob_protocol.cose import headers, sign1
from fob_protocol.cose.labels import Label
from fob_protocol.office import envelope
from fob_protocol.office.configuration import (
    Configure,
    Outcome,
    Purpose,
    Report,
    Request,
    SendReport,
    Variant,
    request_context,
    seal_identifier,
    sign_report,
)
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.limits import CHALLENGE_TIME
from fob_protocol.office.refusals import Refusal
from support.octets import flipped
from support.office import OfficeScene
from support.office_device import OfficeDevice
from support.office_shop import OPERATOR, generic_device, known_device, ordered_device, release
from support.office_work import all_rows, counted

Wrong = Callable[[OfficeScene, OfficeDevice, Variant], Configure]


def unknown_key(scene: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    other = generic_device(scene, "M-0666")
    return other.request(other.challenge(), variant=variant)


def unknown_key_with_a_right_serial(scene: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    other = generic_device(scene, "M-0666")
    return other.request(other.challenge(), variant=variant, serial=device.serial)


def wrong_serial(_: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    return device.request(device.challenge(), variant=variant, serial="M-0666")


def serial_of_another_record(scene: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    other = ordered_device(scene, "rates", serial="M-0002")
    return device.request(device.challenge(), variant=variant, serial=other.serial)


def forged_signature(_: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    message = device.request(device.challenge(), variant=variant)
    return Configure(variant, flipped(message.request))


def key_of_another_device(scene: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    """Right serial, wrong key: what the thief can sign, under the name of the key that he cannot use."""
    challenge = device.challenge()
    device.counter += 1
    sealed = seal_identifier(device.server.sealing_key, challenge, device.serial)
    identifier = sealed if variant is Variant.SEALED_IDENTIFIER else None
    request = Request(
        Purpose.FIRST, device.public_key, identifier, challenge, device.counter, device.hardware, 0, 0, ()
    )
    thief = generic_device(scene, "M-0666").system_key
    signed = sign1.sign(thief, Label.CONFIGURATION_REQUEST, request_context(variant, device.serial), request.octets())
    mine = headers.key_id(thief.public_key().public_bytes_raw())
    return Configure(variant, signed.replace(mine, headers.key_id(device.public_key)))


def no_order(scene: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    other = known_device(scene, "M-0003")
    return other.request(other.challenge(), variant=variant)


def disabled(scene: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    set_state(scene.office, device.serial, DeviceState.DISABLED, OPERATOR)
    return device.request(device.challenge(), variant=variant)


def old_challenge(scene: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    challenge = device.challenge()
    scene.clock.pass_by(CHALLENGE_TIME + 1)
    return device.request(challenge, variant=variant)


def made_up_challenge(scene: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    challenge = device.challenge()
    return device.request(flipped(challenge), variant=variant)


def counter_not_higher(_: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    device.answer_to(device.request(device.challenge(), variant=variant))
    device.counter -= 1
    return device.request(device.challenge(), variant=variant)


def other_hardware(_: OfficeScene, device: OfficeDevice, variant: Variant) -> Configure:
    return device.request(device.challenge(), variant=variant, hardware="meter-2")


WRONG = [
    unknown_key, unknown_key_with_a_right_serial, wrong_serial, serial_of_another_record, forged_signature,
    key_of_another_device, no_order, disabled, old_challenge, made_up_challenge, counter_not_higher, other_hardware,
]  # fmt: skip


def asked(scene: OfficeScene, device: OfficeDevice, message: Configure) -> envelope.Asked:
    return envelope.ask(device.server, Service.CONFIGURATION, message.octets(), scene.random.randbytes)


@pytest.mark.clause("C3", "C4", "C5", "C6", "C22", "C24", "C28")
@pytest.mark.parametrize("variant", list(Variant))
def test_every_wrong_asker_is_told_the_same_after_the_same_work(
    scene: OfficeScene, variant: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(scene, "rates", octets=b"the secret of the rates")
    seen = []
    for number, wrong in enumerate(WRONG):
        device = ordered_device(scene, "rates", serial=f"M-1{number:03}")
        message = wrong(scene, device, variant)
        question = asked(scene, device, message)
        before = all_rows(scene)
        with counted(scene, monkeypatch) as work:
            answer = scene.answering.answer(Service.CONFIGURATION, question.sealed)
        with pytest.raises(RefusedError) as refused:
            question.open(answer)
        assert (refused.value.refusal, refused.value.retry_after) == (Refusal.DENIED, None), wrong.__name__
        assert all_rows(scene) == before, wrong.__name__
        seen.append((len(answer), work))
    assert [one for one in seen if one != seen[0]] == []
    # Question and answer are sealed, the signature is looked at, the challenge is proved.
    sealed = variant is Variant.SEALED_IDENTIFIER
    work = seen[0][1]
    assert [work[word] for word in ("verify", "unseal", "seal", "proof")] == [1, 1 + sealed, 1, 1]


@pytest.mark.clause("C6")
def test_no_payload_is_read_before_the_identity_is_proved(scene: OfficeScene, monkeypatch: pytest.MonkeyPatch) -> None:
    release(scene, "rates")
    for number, wrong in enumerate(WRONG):
        device = ordered_device(scene, "rates", serial=f"M-1{number:03}")
        question = asked(scene, device, wrong(scene, device, Variant.SEALED_IDENTIFIER))
        with counted(scene, monkeypatch) as work:
            scene.answering.answer(Service.CONFIGURATION, question.sealed)
        read = [statement for statement in work if "FROM releases" in statement or "FROM chunks" in statement]
        assert (read, [statement for statement in work if "FROM options" in statement]) == ([], [])


@pytest.mark.clause("C22", "C28")
def test_reports_of_strangers_are_denied_and_change_nothing(scene: OfficeScene) -> None:
    device = ordered_device(scene)
    stranger = generic_device(scene, "M-0666")
    said = Report(stranger.public_key, 1, 1, Outcome.CONFIRMED, "", 0, ())
    forged = sign_report(stranger.system_key, replace(said, signing_key=device.public_key))
    before = all_rows(scene)
    for signed in (sign_report(stranger.system_key, said), forged, b"no report"):
        with pytest.raises(RefusedError) as refused:
            device.say(Service.REPORT, SendReport(signed))
        assert refused.value.refusal is Refusal.DENIED
    assert all_rows(scene) == before


def test_a_challenge_tells_when_it_was_made_and_nothing_else(scene: OfficeScene) -> None:
    device = ordered_device(scene)
    before = all_rows(scene)
    one, other = device.challenge(), generic_device(scene, "M-0666").challenge()
    assert len(one) == len(other)
    assert one != other
    assert all_rows(scene) == before


@pytest.mark.parametrize("variant", list(Variant))
def test_an_identifier_belongs_to_the_first_variant(scene: OfficeScene, variant: Variant) -> None:
    device = ordered_device(scene)
    lie = None if variant is Variant.SEALED_IDENTIFIER else b"x"
    with pytest.raises(RefusedError) as refused:
        device.answer_to(device.request(device.challenge(), variant=variant, identifier=lie))
    assert refused.value.refusal is Refusal.MALFORMED

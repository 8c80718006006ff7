"""One word for all that is wrong with who asks about copies, of one length and after the same work (V13, V23)."""

from collections import Counter

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_office.devices.service import set_state
from fob_office.devices.tables import DeviceState
from fob_office.distribution.letters import make_letter
from fob_protocol.integrity.distribution import AskCopies, CopyRequest, Enrol, Enrolment, Holding
from fob_protocol.integrity.evidence import Evidence, SecretPart, commitment
from fob_protocol.integrity.letter import read_letter
from fob_protocol.integrity.limits import LETTER_TIME
from fob_protocol.integrity.validation import ChallengeGiven, GetChallenge, Validate
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, read
from fob_protocol.office.refusals import Refusal
from support.holder import ReferenceHolder
from support.octets import flipped
from support.office import OfficeScene
from support.office_holders import RATES, add_program, holder_of, rates_holder
from support.office_shop import OPERATOR, known_device, ordered_device
from support.office_work import all_rows, counted

STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
HOLDING = Holding("rates", (1, 0, 0), digest(RATES))


def assert_alike(
    scene: OfficeScene, service: Service, messages: list[Message], monkeypatch: pytest.MonkeyPatch
) -> Counter[str]:
    """Denied after the same work with an answer of the same length, and nothing changes."""
    before = all_rows(scene)
    seen = []
    for message in messages:
        question = scene.question(service, "integrity", message)
        with counted(scene, monkeypatch) as work:
            answer = scene.answering.answer(service, question.sealed)
        with pytest.raises(RefusedError) as refused:
            question.open(answer)
        assert (refused.value.refusal, refused.value.retry_after) == (Refusal.DENIED, None)
        seen.append((len(answer), work))
    assert all_rows(scene) == before
    assert [one for one in seen if one != seen[0]] == []
    return seen[0][1]


def evidence(holder: ReferenceHolder, number: bytes, secret: SecretPart) -> Evidence:
    return Evidence(number, 1, 0, holder.clock(), "integrity", None, commitment(secret))


@pytest.mark.clause("V13", "V23")
def test_validation_does_not_tell_which_copies_there_are(
    sqlite_scene: OfficeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_scene
    holder, other = rates_holder(scene), rates_holder(scene, serial="M-0002")
    disabled = rates_holder(scene, serial="M-0003")
    set_state(scene.office, "M-0003", DeviceState.DISABLED, OPERATOR)
    number = holder.copies["rates"].number
    secret = SecretPart(bytes(32), bytes(32), bytes(32))
    honest = evidence(holder, number, secret).signed(holder.key)
    messages: list[Message] = [
        Validate(evidence(holder, bytes(16), secret).signed(STRANGER), secret),
        Validate(evidence(holder, bytes(16), secret).signed(holder.key), secret),
        Validate(evidence(holder, number, secret).signed(STRANGER), secret),
        Validate(evidence(holder, number, secret).signed(other.key), secret),
        Validate(flipped(honest), secret),
        Validate(honest, SecretPart(bytes(32), bytes(32), None)),
        Validate(evidence(disabled, disabled.copies["rates"].number, secret).signed(disabled.key), secret),
    ]
    work = assert_alike(scene, Service.VALIDATION, messages, monkeypatch)
    assert (work["verify"], len([one for one in work if "FROM copies" in one])) == (1, 1)


def challenged(scene: OfficeScene, number: bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Counter[str]]:
    question = scene.question(Service.VALIDATION, "integrity", GetChallenge(number))
    with counted(scene, monkeypatch) as work:
        answer = scene.answering.answer(Service.VALIDATION, question.sealed)
    assert len(read(ChallengeGiven, question.open(answer).body).challenge) == 32
    return len(answer), work


@pytest.mark.clause("V7", "V13")
def test_a_challenge_is_given_whether_there_is_such_a_copy_or_not(
    sqlite_scene: OfficeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = rates_holder(sqlite_scene).copies["rates"].number
    seen = [challenged(sqlite_scene, number, monkeypatch) for number in (known, bytes(16), known, bytes(16))]
    assert [one for one in seen if one != seen[0]] == []


@pytest.mark.clause("V1", "V23")
def test_distribution_does_not_tell_which_holders_there_are(
    sqlite_scene: OfficeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_scene
    no_order, disabled = known_device(scene, "M-0004"), ordered_device(scene, serial="M-0005")
    set_state(scene.office, "M-0005", DeviceState.DISABLED, OPERATOR)
    keys = (STRANGER, no_order.system_key, disabled.system_key)
    messages: list[Message] = [
        AskCopies(CopyRequest(key.public_key().public_bytes_raw(), 1, (HOLDING,), ()).signed(key)) for key in keys
    ]
    assert assert_alike(scene, Service.DISTRIBUTION, messages, monkeypatch)["verify"] == 1


@pytest.mark.clause("V6", "V13")
def test_enrolment_does_not_tell_which_letters_there_are(
    sqlite_scene: OfficeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_scene
    holding = Holding("fobd", (1, 0, 0), digest(add_program(scene, "fobd", b"the daemon")))
    old = make_letter(scene.office, "fobd", (1, 0, 0), None, OPERATOR)
    scene.clock.pass_by(LETTER_TIME + 1)
    # Letters that are over are erased when another one is made: this one is there still.
    scene.clock.time -= 1
    letter = make_letter(scene.office, "fobd", (1, 0, 0), None, OPERATOR)
    scene.clock.time += 1
    computer = holder_of(scene)
    good = Enrolment.made(computer.public_key, holding, read_letter(letter))
    messages: list[Message] = [
        Enrol(Enrolment.made(computer.public_key, holding, bytes(32)).signed(computer.key)),
        Enrol(Enrolment.made(computer.public_key, holding, read_letter(old)).signed(computer.key)),
        Enrol(Enrolment(good.holder, good.holding, good.identifier_name, bytes(32)).signed(computer.key)),
    ]
    assert assert_alike(scene, Service.DISTRIBUTION, messages, monkeypatch)["proof"] == 1

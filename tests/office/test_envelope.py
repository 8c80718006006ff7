"""What the office makes of sealed questions: those that are not for it are told so openly, all others get an answer."""

import pytest
from structlog.testing import capture_logs

from fob_office.answering import Answering, UnreadableError
from fob_office.refusing import RuleBrokenError
from fob_office.role import Body, Handler, Role
from fob_protocol.cose import hpke
from fob_protocol.cose.labels import Label
from fob_protocol.office.certificate import Usage
from fob_protocol.office.directory import ListServers
from fob_protocol.office.envelope import Question, Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.limits import ANSWER_LIMIT
from fob_protocol.office.refusals import Refusal
from support.octets import bit_flips
from support.office import OfficeScene

DIRECTORY = Service.DIRECTORY


def unreadable(scene: OfficeScene, sealed: bytes, service: Service = DIRECTORY) -> bool:
    try:
        scene.answering.answer(service, sealed)
    except UnreadableError:
        return True
    return False


def test_every_flipped_bit_of_a_question_is_unreadable(sqlite_scene: OfficeScene) -> None:
    asked = sqlite_scene.question(DIRECTORY, "configuration", ListServers())
    assert not unreadable(sqlite_scene, asked.sealed)
    assert all(unreadable(sqlite_scene, flipped) for flipped in bit_flips(asked.sealed))


def test_a_question_to_another_office_is_unreadable(scene: OfficeScene) -> None:
    certificate = scene.certificate("configuration")
    key = bytes(31) + b"\x09"
    other = type(certificate)(
        "configuration", "Configuration", certificate.usages, certificate.signing_key, key, 1, 0, 1 << 40
    )
    assert unreadable(scene, scene.question(DIRECTORY, other, ListServers()).sealed)


def test_a_question_to_a_server_without_the_usage_is_unreadable(scene: OfficeScene) -> None:
    """A server that registers says nothing in the name of one that configures."""
    assert unreadable(scene, scene.question(DIRECTORY, "registration", ListServers()).sealed)


def test_a_question_for_another_service_is_unreadable(scene: OfficeScene) -> None:
    asked = scene.question(Service.CONTENT, "configuration", ListServers())
    assert unreadable(scene, asked.sealed)


@pytest.mark.parametrize("reply_key", [bytes(32), b"\x01" + bytes(31)], ids=["zero", "a point of low order"])
def test_a_reply_key_that_is_none_is_refused_before_anything_is_done(scene: OfficeScene, reply_key: bytes) -> None:
    done: list[Body] = []
    answering = answering_with(scene, noting(done))
    question = Question(bytes(16), reply_key, ListServers().octets()).octets()
    sealing_key = scene.certificate("configuration").sealing_key
    with pytest.raises(UnreadableError):
        answering.answer(DIRECTORY, hpke.seal_to(sealing_key, Label.QUESTION, [DIRECTORY], question))
    assert done == []


def test_a_body_that_is_no_message_is_refused_under_seal(scene: OfficeScene) -> None:
    with pytest.raises(RefusedError) as caught:
        scene.ask(DIRECTORY, "configuration", b"\x80")
    assert caught.value.refusal is Refusal.MALFORMED


def test_an_answer_to_one_opens_for_nobody_else(scene: OfficeScene) -> None:
    first = scene.question(DIRECTORY, "configuration", ListServers())
    second = scene.question(DIRECTORY, "configuration", ListServers())
    with pytest.raises(OfficeError) as caught:
        second.open(scene.answering.answer(DIRECTORY, first.sealed))
    assert caught.value.fault is Fault.STALE_ANSWER


def test_the_answer_says_the_office_s_time(scene: OfficeScene) -> None:
    scene.clock.pass_by(17)
    assert scene.ask(DIRECTORY, "configuration", ListServers()).time == scene.clock.time


def test_the_same_question_again_is_answered_again(scene: OfficeScene) -> None:
    asked = scene.question(DIRECTORY, "configuration", ListServers())
    one, two = (asked.open(scene.answering.answer(DIRECTORY, asked.sealed)) for _ in range(2))
    assert one == two


def noting(bodies: list[Body]) -> Handler:
    def note(body: Body) -> bytes:
        bodies.append(body)
        return b"said"

    return note


def answering_with(scene: OfficeScene, handler: Handler) -> Answering:
    role = Role("test", {DIRECTORY: Usage.CONFIGURATION}, lambda _: {DIRECTORY: handler})
    return Answering(scene.office, [role])


def ask_with(scene: OfficeScene, handler: Handler) -> bytes:
    asked = scene.question(DIRECTORY, "configuration", b"body")
    return asked.open(answering_with(scene, handler).answer(DIRECTORY, asked.sealed)).body


def test_a_handler_is_told_who_is_asked_what(scene: OfficeScene) -> None:
    told: list[Body] = []
    assert ask_with(scene, noting(told)) == b"said"
    assert (told[0].service, told[0].server.name, told[0].octets) == (DIRECTORY, "configuration", b"body")
    assert "body" not in repr(told[0]).removeprefix("Body")


@pytest.mark.clause("X8")
def test_the_log_names_the_clause_that_was_broken_and_the_device_is_told_the_code(scene: OfficeScene) -> None:
    def refuse(_: Body) -> bytes:
        raise RuleBrokenError(Refusal.LOCKED, "R6", "three wrong proofs", 60)

    with capture_logs() as logs, pytest.raises(RefusedError) as caught:
        ask_with(scene, refuse)
    assert (caught.value.refusal, caught.value.retry_after) == (Refusal.LOCKED, 60)
    assert [(line["event"], line["code"], line["clause"], line["why"]) for line in logs] == [
        ("refused", "locked", "R6", "three wrong proofs")
    ]


def test_an_answer_that_no_device_would_take_is_not_sent(scene: OfficeScene) -> None:
    with pytest.raises(RefusedError) as caught:
        ask_with(scene, lambda _: bytes(ANSWER_LIMIT))
    assert caught.value.refusal is Refusal.UNAVAILABLE


def test_the_longest_answer_fits(scene: OfficeScene) -> None:
    asked = scene.question(DIRECTORY, "configuration", b"")
    sealed = answering_with(scene, lambda _: bytes(ANSWER_LIMIT - 512)).answer(DIRECTORY, asked.sealed)
    assert len(sealed) <= ANSWER_LIMIT
    assert len(asked.open(sealed).body) == ANSWER_LIMIT - 512

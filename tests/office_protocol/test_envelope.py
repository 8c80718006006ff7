"""A question is for one server and one service, and has one answer: any other is refused by its name."""

from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fob_protocol.cose.errors import CoseError, SealError
from fob_protocol.office import envelope
from fob_protocol.office.envelope import Asked, Question, Refused, Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.limits import QUESTION_LIMIT
from fob_protocol.office.refusals import Refusal
from support.octets import bit_flips
from support.office_trust import NOW, SERVER, TestServer

REGISTRATION = Service.REGISTRATION


def ask(body: bytes = b"body", seed: int = 1) -> Asked:
    return envelope.ask(SERVER.certificate(), REGISTRATION, body, Random(seed).randbytes)


def answer(asked: Asked, body: bytes = b"answer", server: TestServer = SERVER) -> bytes:
    question = envelope.open_question(SERVER.sealing, REGISTRATION, asked.sealed)
    return envelope.seal_answer(server.signing, REGISTRATION, question, asked.sealed, NOW, body)


def fault_of(asked: Asked, sealed: bytes) -> Fault | None:
    try:
        asked.open(sealed)
    except OfficeError as error:
        return error.fault
    return None


@pytest.mark.clause("R12")
def test_a_question_opens_for_its_server_alone() -> None:
    asked = ask()
    assert envelope.open_question(SERVER.sealing, REGISTRATION, asked.sealed).body == b"body"
    with pytest.raises(SealError):
        envelope.open_question(X25519PrivateKey.generate(), REGISTRATION, asked.sealed)


@pytest.mark.parametrize("service", [service for service in Service if service is not REGISTRATION])
def test_a_question_opens_for_its_service_alone(service: Service) -> None:
    with pytest.raises(SealError):
        envelope.open_question(SERVER.sealing, service, ask().sealed)


def test_every_flipped_bit_of_a_question_is_refused() -> None:
    for flipped in bit_flips(ask().sealed):
        with pytest.raises(CoseError):
            envelope.open_question(SERVER.sealing, REGISTRATION, flipped)


def test_the_answer_says_the_time_and_the_body() -> None:
    asked = ask()
    opened = asked.open(answer(asked))
    assert (opened.time, opened.body) == (NOW, b"answer")


@pytest.mark.clause("R14")
def test_every_flipped_bit_of_an_answer_is_refused() -> None:
    asked = ask()
    assert {fault_of(asked, flipped) for flipped in bit_flips(answer(asked))} == {Fault.STALE_ANSWER}


@pytest.mark.clause("C24", "R20")
def test_the_answer_to_another_question_is_stale() -> None:
    first, second = ask(seed=1), ask(seed=2)
    assert fault_of(second, answer(first)) == Fault.STALE_ANSWER
    # The very same words and key, sealed again: another question still.
    again = ask(seed=1)
    assert fault_of(again, answer(first)) == Fault.STALE_ANSWER


@pytest.mark.clause("R9", "R14")
def test_an_answer_of_another_server_is_refused() -> None:
    asked = ask()
    impostor = TestServer(signing=Ed25519PrivateKey.generate())
    assert fault_of(asked, answer(asked, server=impostor)) == Fault.WRONG_SIGNATURE


def test_a_refusal_is_raised_with_its_time() -> None:
    asked = ask()
    with pytest.raises(RefusedError) as caught:
        asked.open(answer(asked, Refused(Refusal.LOCKED, 60).octets()))
    assert (caught.value.refusal, caught.value.retry_after, caught.value.time) == (Refusal.LOCKED, 60, NOW)


def test_a_refusal_may_say_why_in_a_few_words() -> None:
    asked = ask()
    with pytest.raises(RefusedError) as caught:
        asked.open(answer(asked, Refused(Refusal.OVER_LIMIT, None, "at most 100").octets()))
    assert (caught.value.refusal, caught.value.said) == (Refusal.OVER_LIMIT, "at most 100")
    assert Refused(Refusal.LOCKED, 60).octets() == b"\x83\x00\x66locked\x18\x3c", "no fourth element for nothing"
    for why in (b"\x60", b"\x78\x51" + b"x" * 81, b"\x01"):
        assert fault_of(asked, answer(asked, b"\x84\x00\x66locked\xf6" + why)) == Fault.MALFORMED


def test_a_refusal_of_no_known_code_is_malformed() -> None:
    asked = ask()
    assert fault_of(asked, answer(asked, b"\x83\x00\x63abc\xf6")) == Fault.MALFORMED


def test_a_reply_key_that_is_none_gets_no_answer() -> None:
    with pytest.raises(SealError):
        envelope.seal_answer(SERVER.signing, REGISTRATION, Question(bytes(16), bytes(32), b""), b"", NOW, b"")


def test_what_waits_for_an_answer_shows_no_key() -> None:
    assert "reply_key" not in repr(ask())


def test_the_longest_body_fits_into_a_question() -> None:
    """So a body's bound is QUESTION_LIMIT less the seals."""
    around = len(ask(bytes(256)).sealed) - 256
    assert len(ask(bytes(QUESTION_LIMIT - around)).sealed) <= QUESTION_LIMIT + 2
    assert around < 200

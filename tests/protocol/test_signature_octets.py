"""What one signature costs on the line, counted in really sealed octets (docs/performance.md)."""

import pytest

from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, encode_answer
from fob_protocol.at.command import Command, encode_command
from fob_protocol.caller import CALLERS_LIMIT, Caller, Purpose
from fob_protocol.pkcs11.ckm import Ckm
from support.session import Session, open_session, seeded

# The limit and the goals of notes/performance.md: octets that any secured protocol needs, and how many times them.
LIMIT_P256, GOAL_P256 = 138, 1.25
LIMIT_RSA2048, GOAL_RSA2048 = 331, 1.12

HANDLE = 12
CALLER = 7
OCTETS = seeded(2024)
DIGEST = OCTETS(32)
P256 = catalogue.SIGN.build(HANDLE, None, DIGEST, None, CALLER)
RSA2048 = catalogue.SIGN.build(HANDLE, int(Ckm.SHA256_RSA_PKCS), DIGEST, None, CALLER)


def signing_session(signature: bytes, seed: int) -> Session:
    """A device whose every signature is this one."""
    return open_session(lambda _: (0.0, encode_answer(Answer(((signature,),)))), seed=seed)


def exchange(command: Command, signature: bytes, seed: int = 1) -> tuple[int, int]:
    """Octets to the device and to the PC, everything counted, for one signature."""
    session = signing_session(signature, seed)
    session.ask(encode_command(command))
    assert (session.device.frames_seen, session.pc.frames_seen) == ({"REQUEST": 1}, {"ANSWER": 1})
    return session.wire.to_device.written, session.wire.to_pc.written


def test_the_texts_inside_the_records() -> None:
    assert encode_command(P256) == b"AT+C_SIGN=12,,#232" + DIGEST + b",,7"
    assert encode_command(RSA2048) == b"AT+C_SIGN=12,64,#232" + DIGEST + b",,7"
    assert encode_answer(Answer(((bytes(64),),))) == b"#264" + bytes(64) + b"\r\n0\r"


@pytest.mark.clause("P9")
def test_a_p256_signature_is_171_octets() -> None:
    """53 and 72 octets of text; 16 of seal, 3 of header, 2 of CRC, 2 of COBS for each."""
    assert exchange(P256, OCTETS(64)) == (76, 95)
    assert sum(exchange(P256, OCTETS(64))) == 171 <= GOAL_P256 * LIMIT_P256


@pytest.mark.clause("P9")
def test_an_rsa_2048_signature_is_at_most_367_octets() -> None:
    """55 and 265 octets of text; COBS costs one octet more when no zero stands in the first 254 of the answer."""
    seen = {exchange(RSA2048, OCTETS(256), seed) for seed in range(200)}
    assert seen == {(78, 288), (78, 289)}
    assert max(sum(octets) for octets in seen) == 367 <= GOAL_RSA2048 * LIMIT_RSA2048


def test_a_p256_signature_never_costs_more_whatever_its_octets() -> None:
    assert {sum(exchange(P256, OCTETS(64), seed)) for seed in range(200)} == {171}


@pytest.mark.clause("P9")
def test_a_signature_is_one_round_trip() -> None:
    session = signing_session(OCTETS(64), 1)
    for count in range(1, 6):
        session.ask(encode_command(P256))
        assert session.counters.round_trips == count
    assert session.counters.sent_again == 0


@pytest.mark.parametrize(("handle", "caller"), [(999, 9), (99, CALLERS_LIMIT - 1), (999_999, None)])
def test_longer_numbers_stay_within_the_goal(handle: int, caller: int | None) -> None:
    command = catalogue.SIGN.build(handle, None, DIGEST, None, caller)
    assert sum(exchange(command, OCTETS(64))) == 172 <= GOAL_P256 * LIMIT_P256


def test_a_caller_is_named_once_for_the_octets_of_its_block() -> None:
    """What a commit by git costs the first time: the block, its head of four octets, and a comma."""
    block = Caller(("ssh-keygen", "git", "zsh"), Purpose.SIGNATURE, namespace="git").to_block()
    first = catalogue.SIGN.build(HANDLE, None, DIGEST, None, CALLER, block)
    assert len(block) == 43
    assert sum(exchange(first, OCTETS(64))) == 171 + 1 + len("#243") + len(block) == 219

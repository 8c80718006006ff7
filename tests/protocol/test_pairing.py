"""Pairing as a conversation between two honest sides, and frames that do not belong (docs/protocol.md, section 5)."""

import hashlib

import pytest

from fob_protocol.at.values import encode_values
from fob_protocol.errors import HandshakeError, ProtocolError
from fob_protocol.limits import NAME_LIMIT
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.noise.handshake import XX, HandshakeState
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pairing.code import commitment, prologue
from fob_protocol.pairing.confirmation import seal_step
from fob_protocol.pairing.device import DevicePairing, DeviceState
from fob_protocol.pairing.pc import PairedDevice, PcState
from support.pairing import VERSIONS, device_key, device_side, pc_key, pc_side, sent, up_to_comparison
from support.session import seeded


@pytest.mark.clause("P14")
def test_both_say_yes() -> None:
    pc, device = pc_side(1), device_side(1)
    commitment_frame, offer, reveal, introduction = up_to_comparison(pc, device)
    assert [f.fields[0] for f in (commitment_frame, offer, reveal, introduction)] == [1, 2, 3, 4]
    assert [len(f.body) for f in (commitment_frame, offer, reveal)] == [32, 32, 96]
    assert pc.code == device.code
    assert len(pc.code) == 6
    assert pc.code.isdigit()

    yes = pc.confirm(equal=True, name="desk")
    assert device.receive(yes) is None  # its person has not answered yet
    outcome = sent(device.decide(equal=True))
    assert outcome.fields == (6,)
    assert pc.receive(outcome) is None

    assert (pc.state, device.state) == (PcState.PAIRED, DeviceState.PAIRED)
    assert pc.device == PairedDevice(device_key(1), "Ann's phone", "F-0001")
    assert (device.pc_key, device.pc_name) == (pc_key(1), "desk")


def test_the_devices_person_may_answer_first() -> None:
    pc, device = pc_side(1), device_side(1)
    up_to_comparison(pc, device)
    assert device.decide(equal=True) is None
    pc.receive(sent(device.receive(pc.confirm(equal=True, name="desk"))))
    assert (pc.state, device.state) == (PcState.PAIRED, DeviceState.PAIRED)


@pytest.mark.parametrize(("pc_says", "device_says"), [(True, False), (False, True), (False, False)])
def test_each_no_ends_it_on_both_sides(*, pc_says: bool, device_says: bool) -> None:
    pc, device = pc_side(1), device_side(1)
    up_to_comparison(pc, device)
    device.decide(device_says)
    outcome = sent(device.receive(pc.confirm(pc_says, "desk")))
    pc.receive(outcome)
    assert (pc.state, device.state) == (PcState.REFUSED, DeviceState.REFUSED)


def test_the_pcs_no_needs_no_answer_of_the_devices_person() -> None:
    pc, device = pc_side(1), device_side(1)
    up_to_comparison(pc, device)
    sent(device.receive(pc.confirm(equal=False, name="desk")))
    assert device.state is DeviceState.REFUSED
    assert device.decide(equal=True) is None
    assert device.state is DeviceState.REFUSED


def test_a_person_answers_once() -> None:
    pc, device = pc_side(1), device_side(1)
    up_to_comparison(pc, device)
    device.decide(equal=False)
    device.decide(equal=True)
    device.receive(pc.confirm(equal=True, name="desk"))
    assert device.state is DeviceState.REFUSED
    with pytest.raises(HandshakeError, match="no code to confirm"):
        pc.confirm(equal=True, name="desk")


def test_frames_that_come_again_get_the_same_answers() -> None:
    pc, device = pc_side(1), device_side(1)
    first = pc.start()
    offer = sent(device.receive(first))
    assert device.receive(first) == offer
    reveal = sent(pc.receive(offer))
    assert pc.receive(offer) is None
    assert pc.last_frame == reveal
    introduction = sent(device.receive(reveal))
    assert device.receive(reveal) == introduction
    assert device.receive(first) == offer
    pc.receive(introduction)
    assert pc.receive(introduction) is None
    yes = pc.confirm(equal=True, name="desk")
    assert device.receive(yes) is None
    assert device.receive(yes) is None
    outcome = sent(device.decide(equal=True))
    assert device.receive(yes) == outcome
    pc.receive(outcome)
    assert pc.receive(outcome) is None
    assert (pc.state, device.state) == (PcState.PAIRED, DeviceState.PAIRED)


def test_a_commitment_is_the_hash_of_both_keys_in_this_order() -> None:
    ephemeral, static = bytes(32), bytes([1]) * 32
    assert commitment(ephemeral, static) == hashlib.sha256(b"Fob pairing commitment 1" + ephemeral + static).digest()
    with pytest.raises(ValueError, match="32 octets"):
        commitment(ephemeral[:31], static)


def forged_reveal(device: DevicePairing, committed: bytes, keys: tuple[KeyPair, KeyPair], payload: bytes) -> Frame:
    """A PC of an attacker's own making: it says what it committed to, and sends step 3 with any keys and payload."""
    ephemeral, static = keys
    noise = HandshakeState(
        XX, initiator=False, prologue=prologue(VERSIONS, 1, committed), static=static, random=seeded(5)
    )
    noise.use_ephemeral(ephemeral)
    noise.read(sent(device.receive(Frame(Kind.PAIR, (1,), committed))).body)
    return Frame(Kind.PAIR, (3,), noise.write(payload))


@pytest.mark.parametrize("place", [0, 1], ids=["another ephemeral key", "another static key"])
def test_a_reveal_that_does_not_match_its_commitment_is_refused(place: int) -> None:
    committed_keys = [KeyPair.generate(seeded(11)), KeyPair.generate(seeded(12))]
    committed = commitment(committed_keys[0].public, committed_keys[1].public)
    committed_keys[place] = KeyPair.generate(seeded(13))
    device = device_side(1)
    reveal = forged_reveal(device, committed, (committed_keys[0], committed_keys[1]), b"")
    with pytest.raises(HandshakeError, match="committed to"):
        device.receive(reveal)
    assert device.state is DeviceState.FAILED
    assert device.code == ""


def test_a_reveal_with_a_payload_is_refused_and_gets_no_second_try() -> None:
    keys = KeyPair.generate(seeded(11)), KeyPair.generate(seeded(12))
    committed = commitment(keys[0].public, keys[1].public)
    device = device_side(1)
    reveal = forged_reveal(device, committed, keys, b"something to grind the code with")
    with pytest.raises(HandshakeError, match="no payload"):
        device.receive(reveal)
    assert device.state is DeviceState.FAILED
    assert device.receive(reveal) is None
    assert device.receive(Frame(Kind.PAIR, (1,), committed)) is None


def test_an_offer_with_a_payload_is_refused_and_gets_no_second_try() -> None:
    pc, device = pc_side(1), device_side(1)
    offer = sent(device.receive(pc.start()))
    with pytest.raises(HandshakeError, match="no payload"):
        pc.receive(Frame(Kind.PAIR, (2,), offer.body + b"x"))
    assert pc.state is PcState.FAILED
    assert pc.receive(offer) is None
    assert pc.code == ""


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_commitment_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(HandshakeError, match="32 octets"):
        device_side(1).receive(Frame(Kind.PAIR, (1,), bytes(size)))


@pytest.mark.parametrize("size", [0, 31])
def test_a_short_offer_is_refused(size: int) -> None:
    with pytest.raises(HandshakeError, match="too short"):
        pc_side(1).receive(Frame(Kind.PAIR, (2,), bytes(size)))


def test_frames_of_another_state_change_nothing() -> None:
    pc, device = pc_side(1), device_side(1)
    for step in (0, 2, 3, 4, 5, 6, 255):
        assert device.receive(Frame(Kind.PAIR, (step,), bytes(96))) is None
    for step in (0, 1, 3, 4, 5, 6, 255):
        assert pc.receive(Frame(Kind.PAIR, (step,), bytes(96))) is None
    up_to_comparison(pc, device)
    assert pc.code == device.code
    for step in (1, 2, 3, 4, 5, 6):
        assert pc.receive(Frame(Kind.PAIR, (step,), bytes(96))) is None
    assert pc.state is PcState.COMPARING


def test_nothing_is_decided_before_the_codes_are_there() -> None:
    device = device_side(1)
    assert device.decide(equal=True) is None
    pc = pc_side(1)
    with pytest.raises(HandshakeError, match="no code to confirm"):
        pc.confirm(equal=True, name="desk")
    up_to_comparison(pc, device)
    assert device.receive(pc.confirm(equal=True, name="desk")) is None
    assert device.state is DeviceState.COMPARING


def test_late_frames_after_the_end_change_nothing() -> None:
    pc, device = pc_side(1), device_side(1)
    frames = up_to_comparison(pc, device)
    device.decide(equal=True)
    outcome = sent(device.receive(pc.confirm(equal=True, name="desk")))
    pc.receive(outcome)
    for frame in (*frames, outcome):
        assert pc.receive(frame) is None
        device.receive(frame)
    assert (pc.state, device.state) == (PcState.PAIRED, DeviceState.PAIRED)


def test_two_sides_that_saw_different_versions_do_not_pair() -> None:
    pc, device = pc_side(1, versions=b"(1)"), device_side(1, versions=b"(1,2)")
    reveal = sent(pc.receive(sent(device.receive(pc.start()))))
    with pytest.raises(HandshakeError, match="does not open"):
        device.receive(reveal)


@pytest.mark.parametrize("text", [b"", b"1", b"2", b'1,"desk",5', b"1,#14desk", b'0,"desk"', b'"'])
def test_a_step_5_that_is_neither_yes_nor_no_is_refused(text: bytes) -> None:
    pc, device = pc_side(1), device_side(1)
    up_to_comparison(pc, device)
    with pytest.raises(ProtocolError):
        device.receive(seal_step(pc._send_key, 5, text))
    assert device.state is DeviceState.FAILED
    assert device.decide(equal=True) is None


@pytest.mark.parametrize("text", [b"", b"0", b"2", b"11"])
def test_only_a_one_in_step_6_is_a_yes(text: bytes) -> None:
    pc, device = pc_side(1), device_side(1)
    up_to_comparison(pc, device)
    pc.confirm(equal=True, name="desk")
    pc.receive(seal_step(device._send_key, 6, text))
    assert pc.state is PcState.REFUSED


def test_names_are_cut_to_their_limit() -> None:
    pc = pc_side(1)
    random = seeded(3)
    device = DevicePairing(KeyPair.generate(random), VERSIONS, 1, random, name="x" * 500, serial="y" * 500)
    up_to_comparison(pc, device)
    device.receive(pc.confirm(equal=True, name="é" * 100))
    assert pc.device is not None
    assert (len(pc.device.name), len(pc.device.serial)) == (NAME_LIMIT, NAME_LIMIT)
    assert device.pc_name == "é" * (NAME_LIMIT - 1) + "…"


def test_names_cannot_steer_the_other_sides_screen() -> None:
    pc = pc_side(1)
    random = seeded(3)
    device = DevicePairing(KeyPair.generate(random), VERSIONS, 1, random, name="x", serial="y")
    # A device that does not keep the rule itself.
    device._introduction = encode_values(("Ann\x1b[2J\u202es'phone".encode(), b"\xff\r\n1"))
    up_to_comparison(pc, device)
    pc.confirm(equal=True, name="desk")
    device.receive(seal_step(pc._send_key, 5, encode_values((1, "de\u200bsk\r\n\x9b0m"))))
    assert pc.device is not None
    assert (pc.device.name, pc.device.serial) == ("Ann\ufffd[2J\ufffds'phone", "\ufffd\ufffd\ufffd1")
    assert device.pc_name == "de\ufffdsk\ufffd\ufffd\ufffd0m"

"""The session handshake: who gets in, who does not, and what both sides know afterwards (docs/protocol.md, 6 and 7)."""

import pytest

from fob_protocol.errors import HandshakeError, ProtocolError
from fob_protocol.link.frames import Frame, Kind
from fob_protocol.noise.keys import KeyPair
from fob_protocol.session.handshake import Accepted, Greeting, SessionInitiator, accept_session
from fob_protocol.versions import VERSIONS_LINE, choose
from support.session import seeded

PC = KeyPair.from_private_bytes(b"p" * 32)
DEVICE = KeyPair.from_private_bytes(b"d" * 32)
GREETING = Greeting(b"boot-001", b"sess-001", 18, 0x40D)


def pc_side(
    *, identity: KeyPair = PC, device_key: bytes = DEVICE.public, versions: bytes = b"(1)", seed: int = 1
) -> SessionInitiator:
    """A PC that opens a session."""
    return SessionInitiator(identity, device_key, versions, 1, seeded(seed))


def device_answers(
    frame: Frame, *, identity: KeyPair = DEVICE, versions: bytes = b"(1)", seed: int = 2
) -> Accepted | None:
    """A device that is paired with PC."""
    return accept_session(
        frame,
        identity,
        versions,
        1,
        is_paired=lambda key: key == PC.public,
        greeting=GREETING,
        random=seeded(seed),
    )


@pytest.mark.clause("P14")
def test_two_paired_sides_meet() -> None:
    pc = pc_side()
    accepted = device_answers(pc.start())
    assert accepted is not None
    greeting, keys = pc.finish(accepted.frame)
    assert greeting == GREETING
    assert accepted.pc_key == PC.public
    assert (keys.send, keys.receive) == (accepted.keys.receive, accepted.keys.send)
    assert keys.send != keys.receive


def test_the_octets_of_the_greeting() -> None:
    assert GREETING.encode() == b"#18boot-001,#18sess-001,18,1037"
    assert Greeting.decode(GREETING.encode()) == GREETING


@pytest.mark.parametrize("payload", [b"", b"1,2,3,4", b"#11b,#11s,1", b"#11b,#11s,1,2,3", b"#11b,#11s,,2", b"#19"])
def test_what_is_no_greeting_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError):
        Greeting.decode(payload)


@pytest.mark.clause("P14")
def test_each_session_has_keys_of_its_own() -> None:
    seen = set()
    for seed in range(5):
        pc = pc_side(seed=2 * seed)
        accepted = device_answers(pc.start(), seed=2 * seed + 1)
        assert accepted is not None
        seen |= {accepted.keys.send, accepted.keys.receive}
    assert len(seen) == 10


@pytest.mark.clause("P14")
def test_a_device_with_a_copied_public_key_but_another_private_key_is_refused() -> None:
    thief = KeyPair(KeyPair.from_private_bytes(b"t" * 32).private, DEVICE.public)
    pc = pc_side()
    first = pc.start()
    with pytest.raises(HandshakeError, match="does not open"):
        device_answers(first, identity=thief)
    # It can answer only to a handshake of its own making; the PC does not take that.
    made_up = device_answers(
        pc_side(device_key=KeyPair.from_private_bytes(b"t" * 32).public).start(),
        identity=KeyPair.from_private_bytes(b"t" * 32),
    )
    assert made_up is not None
    with pytest.raises(HandshakeError, match="does not open"):
        pc.finish(made_up.frame)


def test_a_pc_with_a_copied_public_key_but_another_private_key_is_refused() -> None:
    thief = KeyPair(KeyPair.from_private_bytes(b"t" * 32).private, PC.public)
    with pytest.raises(HandshakeError, match="does not open"):
        device_answers(pc_side(identity=thief).start())


def test_a_pc_that_is_not_paired_gets_no_answer() -> None:
    assert device_answers(pc_side(identity=KeyPair.from_private_bytes(b"x" * 32)).start()) is None


def test_a_pc_that_knows_another_device_gets_no_answer() -> None:
    with pytest.raises(HandshakeError, match="does not open"):
        device_answers(pc_side(device_key=KeyPair.from_private_bytes(b"x" * 32).public).start())


@pytest.mark.parametrize(
    ("offered", "seen"), [(b"(1,2)", b"(1)"), (b"(1)", b"(1,2)"), (b"(1,2)", b"(2,1)"), (b"(1)", b"")]
)
def test_who_alters_the_versions_line_breaks_the_handshake(offered: bytes, seen: bytes) -> None:
    with pytest.raises(HandshakeError, match="does not open"):
        device_answers(pc_side(versions=seen).start(), versions=offered)


def test_another_chosen_version_breaks_the_handshake() -> None:
    first = SessionInitiator(PC, DEVICE.public, b"(1,2)", 2, seeded(1)).start()
    with pytest.raises(HandshakeError, match="does not open"):
        device_answers(first, versions=b"(1,2)")


def test_a_first_message_with_a_payload_is_refused() -> None:
    pc = pc_side()
    frame = Frame(Kind.HANDSHAKE, (1,), pc._state.write(b"early"))
    with pytest.raises(HandshakeError, match="no payload"):
        device_answers(frame)


@pytest.mark.parametrize("frame", [Frame(Kind.HANDSHAKE, (2,), bytes(96)), Frame(Kind.HANDSHAKE, (0,), bytes(96))])
def test_the_device_takes_only_step_1(frame: Frame) -> None:
    with pytest.raises(HandshakeError, match="not step 1"):
        device_answers(frame)


@pytest.mark.parametrize("frame", [Frame(Kind.HANDSHAKE, (1,), bytes(96)), Frame(Kind.PAIR, (2,), bytes(96))])
def test_the_pc_takes_only_step_2(frame: Frame) -> None:
    pc = pc_side()
    pc.start()
    with pytest.raises(HandshakeError, match="not step 2"):
        pc.finish(frame)


def test_a_first_message_sent_back_is_refused() -> None:
    pc = pc_side()
    first = pc.start()
    with pytest.raises(HandshakeError):
        pc.finish(Frame(Kind.HANDSHAKE, (2,), first.body))


def test_an_answer_of_another_handshake_is_refused() -> None:
    old = device_answers(pc_side(seed=3).start())
    pc = pc_side(seed=4)
    pc.start()
    assert old is not None
    with pytest.raises(HandshakeError, match="does not open"):
        pc.finish(old.frame)


def test_a_replayed_first_message_gives_the_attacker_no_keys_and_the_device_new_ones() -> None:
    first = pc_side().start()
    accepted, again = device_answers(first, seed=5), device_answers(first, seed=6)
    assert accepted is not None
    assert again is not None
    assert accepted.keys.send != again.keys.send


@pytest.mark.parametrize("step", [1, 2])
def test_an_octet_changed_anywhere_breaks_the_handshake(step: int) -> None:
    for place in range(96 if step == 1 else 79):
        pc = pc_side()
        first = pc.start()
        if step == 1:
            with pytest.raises(HandshakeError):
                device_answers(changed(first, place))
            continue
        accepted = device_answers(first)
        assert accepted is not None
        with pytest.raises(HandshakeError):
            pc.finish(changed(accepted.frame, place))


def changed(frame: Frame, place: int) -> Frame:
    """A frame with one bit of its body changed."""
    body = bytearray(frame.body)
    body[place] ^= 1
    return Frame(frame.kind, frame.fields, bytes(body))


def test_record_keys_do_not_show_themselves() -> None:
    accepted = device_answers(pc_side().start())
    assert accepted is not None
    assert repr(accepted.keys) == "SessionKeys()"


@pytest.mark.parametrize(
    ("line", "version"),
    [
        (VERSIONS_LINE, 1),
        (b"(1,2,3)", 1),
        (b"(3,1)", 1),
        (b"(2)", None),
        (b"", None),
        (b"1", None),
        (b"()", None),
        (b"(1,)", None),
        (b"(1) ", None),
        (b"(-1)", None),
        (b"(1000)", None),
        (b"(" + b"2," * 40 + b"1)", None),
    ],
)
def test_how_two_versions_meet(line: bytes, version: int | None) -> None:
    assert choose(line) == version

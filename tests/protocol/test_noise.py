"""Noise XX and IK against an independent implementation, in both roles, and everything that must not open."""

from collections.abc import Callable
from functools import partial

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from noise.connection import Keypair, NoiseConnection

from fob_protocol.errors import HandshakeError
from fob_protocol.noise.handshake import IK, XX, HandshakeState, Pattern
from fob_protocol.noise.keys import KeyPair
from support.octets import flipped
from support.session import seeded

PROLOGUE = b"what both sides saw"
OURS, THEIRS = bytes(range(32)), bytes(range(32, 64))
FIRST_NONCE = bytes(12)


def our_side(pattern: Pattern, *, initiator: bool, prologue: bytes = PROLOGUE, secret: bytes = OURS) -> HandshakeState:
    """Our implementation, which knows the other's static key where the pattern wants it."""
    peer = KeyPair.from_private_bytes(THEIRS if secret == OURS else OURS)
    return HandshakeState(
        pattern,
        initiator=initiator,
        prologue=prologue,
        static=KeyPair.from_private_bytes(secret),
        remote_static=peer.public if pattern is IK and initiator else None,
        random=seeded(7),
    )


def other_implementation(pattern: Pattern, *, initiator: bool, prologue: bytes = PROLOGUE) -> NoiseConnection:
    """The independent implementation with THEIRS as its static key."""
    connection = NoiseConnection.from_name(pattern.protocol_name)
    if initiator:
        connection.set_as_initiator()
    else:
        connection.set_as_responder()
    connection.set_prologue(prologue)
    connection.set_keypair_from_private_bytes(Keypair.STATIC, THEIRS)
    if pattern is IK and initiator:
        ours = KeyPair.from_private_bytes(OURS).public
        connection.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, ours)
    connection.start_handshake()
    return connection


def two_sides(pattern: Pattern) -> tuple[HandshakeState, HandshakeState]:
    """Our implementation at both ends: initiator, responder."""
    return our_side(pattern, initiator=True), our_side(pattern, initiator=False, secret=THEIRS)


@pytest.mark.clause("P14")
@pytest.mark.parametrize("pattern", [XX, IK], ids=["XX", "IK"])
@pytest.mark.parametrize("we_begin", [True, False], ids=["we begin", "they begin"])
def test_an_independent_implementation_agrees(pattern: Pattern, *, we_begin: bool) -> None:
    ours = our_side(pattern, initiator=we_begin)
    theirs = other_implementation(pattern, initiator=not we_begin)
    our_turn = we_begin
    for number in range(len(pattern.messages)):
        payload = b"payload %d" % number
        if our_turn:
            assert theirs.read_message(ours.write(payload)) == payload
        else:
            assert ours.read(bytes(theirs.write_message(payload))) == payload
        our_turn = not our_turn
    send, receive = ours.split()
    assert ours.hash == theirs.get_handshake_hash()
    assert ours.remote_static == KeyPair.from_private_bytes(THEIRS).public
    assert theirs.decrypt(ChaCha20Poly1305(send).encrypt(FIRST_NONCE, b"to them", b"")) == b"to them"
    assert ChaCha20Poly1305(receive).decrypt(FIRST_NONCE, bytes(theirs.encrypt(b"to us")), b"") == b"to us"


def test_the_sizes_of_the_messages() -> None:
    initiator, responder = two_sides(XX)
    sizes = []
    for writer, reader in ((initiator, responder), (responder, initiator), (initiator, responder)):
        message = writer.write()
        reader.read(message)
        sizes.append(len(message))
    assert sizes == [32, 96, 64]
    initiator, responder = two_sides(IK)
    first = initiator.write()
    responder.read(first)
    assert [len(first), len(responder.write())] == [96, 48]


@pytest.mark.parametrize("pattern", [XX, IK], ids=["XX", "IK"])
def test_another_prologue_does_not_open(pattern: Pattern) -> None:
    initiator = our_side(pattern, initiator=True, prologue=b"(1)")
    responder = our_side(pattern, initiator=False, prologue=b"(1,2)", secret=THEIRS)
    if pattern is XX:  # its first message seals nothing yet
        responder.read(initiator.write())
        initiator, responder = responder, initiator
    message = initiator.write()
    with pytest.raises(HandshakeError, match="does not open"):
        responder.read(message)


def test_ik_with_another_static_key_of_the_responder_does_not_open() -> None:
    initiator = our_side(IK, initiator=True)
    stranger = HandshakeState(
        IK, initiator=False, prologue=PROLOGUE, static=KeyPair.generate(seeded(9)), random=seeded(8)
    )
    with pytest.raises(HandshakeError, match="does not open"):
        stranger.read(initiator.write())


@pytest.mark.parametrize(("pattern", "turn"), [(XX, 0), (XX, 1), (XX, 2), (IK, 0), (IK, 1)])
def test_an_octet_changed_or_missing_anywhere_breaks_the_handshake_off(pattern: Pattern, turn: int) -> None:
    size = [[32, 96, 71], [96, 55]][pattern is IK][turn]
    for place in range(0, size, 5):
        flip = partial(flipped, at=place)
        cut = partial(shortened, size=place)
        with pytest.raises(HandshakeError):
            converse(pattern, turn, flip)
        with pytest.raises(HandshakeError):
            converse(pattern, turn, cut)


def shortened(message: bytes, *, size: int) -> bytes:
    """The start of the message."""
    return message[:size]


def converse(pattern: Pattern, turn: int, change: Callable[[bytes], bytes]) -> None:
    """A handshake whose last message carries a payload, with the message of one turn changed on its way."""
    sides = two_sides(pattern)
    last = len(pattern.messages) - 1
    for number in range(last + 1):
        message = sides[number % 2].write(b"payload" if number == last else b"")
        sides[1 - number % 2].read(change(message) if number == turn else message)


# Points of order 1, 2, 4 and 8 on the curve and its twist, and their encodings over the prime (RFC 7748, section 6.1).
P = 2**255 - 19
LOW_ORDER = [
    0,
    1,
    int.from_bytes(bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), "little"),
    int.from_bytes(bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"), "little"),
    P - 1,
    P,
    P + 1,
]


@pytest.mark.parametrize("point", LOW_ORDER, ids=hex)
def test_points_of_low_order_are_refused(point: int) -> None:
    public = point.to_bytes(32, "little")
    with pytest.raises(HandshakeError, match="no good point"):
        KeyPair.generate(seeded(1)).exchange(public)


@pytest.mark.parametrize("point", LOW_ORDER, ids=hex)
def test_a_handshake_with_such_a_point_breaks_off(point: int) -> None:
    responder = our_side(IK, initiator=False)
    with pytest.raises(HandshakeError, match="no good point"):
        responder.read(point.to_bytes(32, "little") + bytes(64))


def test_split_before_the_end_and_a_message_after_it_are_refused() -> None:
    initiator, responder = two_sides(IK)
    with pytest.raises(HandshakeError, match="not complete"):
        initiator.split()
    responder.read(initiator.write())
    initiator.read(responder.write())
    with pytest.raises(HandshakeError, match="after the last"):
        initiator.write()


def test_keys_do_not_show_themselves() -> None:
    pair = KeyPair.from_private_bytes(OURS)
    assert OURS.hex() not in repr(pair)
    assert repr(OURS) not in repr(pair)
    assert "private" not in repr(pair)

"""How a PC hears that a device left data state: NO CARRIER, or its own frames back (docs/protocol.md, section 2.1)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.at.console import Result, ResultWriter
from fob_protocol.link.device_reader import DeviceReader
from fob_protocol.link.frames import LEAVE, NO_CARRIER, Frame, Kind

SEAL = bytes(range(16))
ANSWER = Frame(Kind.ANSWER, (7,), SEAL)
WORKING = Frame(Kind.WORKING, (8,), SEAL)

FROM_PC = [
    Frame(Kind.PAIR, (1,)),
    Frame(Kind.PAIR, (3,)),
    Frame(Kind.PAIR, (5,)),
    Frame(Kind.HANDSHAKE, (1,)),
    LEAVE,
    Frame(Kind.REQUEST, (1,), SEAL),
    Frame(Kind.REQUEST_PART, (1, 0, 2), SEAL),
    Frame(Kind.FETCH, (1, 0), SEAL),
    Frame(Kind.CANCEL, (1,), SEAL),
    Frame(Kind.RELEASE, (1,), SEAL),
    Frame(Kind.EVENT_RECEIVED, (1,), SEAL),
    Frame(Kind.CLOSE, (), SEAL),
]
FROM_DEVICE = [
    Frame(Kind.PAIR, (2,)),
    Frame(Kind.PAIR, (4,)),
    Frame(Kind.PAIR, (6,)),
    Frame(Kind.HANDSHAKE, (2,)),
    Frame(Kind.REFUSE, (1,)),
    ANSWER,
    Frame(Kind.ANSWER_PART, (1, 0, 2), SEAL),
    Frame(Kind.PART_RECEIVED, (1, 0), SEAL),
    WORKING,
    Frame(Kind.EVENT, (1,), SEAL),
]


def hear(*chunks: bytes) -> tuple[list[Frame], bool, int]:
    """The frames, whether data state is over, and how many frames were damaged."""
    reader = DeviceReader()
    frames = [frame for chunk in chunks for frame in reader.feed(chunk)]
    return frames, reader.is_over, reader.damaged


def test_a_device_says_no_carrier_as_command_state_does_from_the_start() -> None:
    assert ResultWriter().result(Result.NO_CARRIER) == NO_CARRIER


def test_no_kind_of_frame_begins_as_no_carrier_does() -> None:
    assert NO_CARRIER[0] == len(NO_CARRIER) - 1, "a run to the last octet but one: the second is the frame's kind"
    assert NO_CARRIER[1] not in list(Kind)


def test_no_carrier_between_two_frames_is_the_end() -> None:
    assert hear(ANSWER.to_bytes() + NO_CARRIER) == ([ANSWER], True, 0)


def test_no_carrier_right_after_connect_is_the_end() -> None:
    assert hear(NO_CARRIER) == ([], True, 0)


def test_no_carrier_octet_by_octet_is_the_end_at_its_last_octet() -> None:
    octets = [bytes((octet,)) for octet in ANSWER.to_bytes() + NO_CARRIER]
    assert hear(*octets[:-1]) == ([ANSWER], False, 0)
    assert hear(*octets) == ([ANSWER], True, 0)


def test_no_frame_comes_after_the_end() -> None:
    assert hear(NO_CARRIER + b"\0" + ANSWER.to_bytes(), WORKING.to_bytes())[:2] == ([], True)


def test_no_carrier_in_half_a_frame_is_the_end_once_a_zero_shows_that_it_was_no_frame() -> None:
    half = ANSWER.to_bytes()[:-5]
    assert hear(half + NO_CARRIER) == ([], False, 0)
    assert hear(half + NO_CARRIER, b"\0") == ([], True, 1)


@pytest.mark.parametrize("place", range(len(NO_CARRIER)))
def test_a_damaged_no_carrier_is_damage(place: int) -> None:
    damaged = NO_CARRIER[:place] + b"?" + NO_CARRIER[place + 1 :] + b"\0"
    assert hear(damaged, ANSWER.to_bytes()) == ([ANSWER], False, 1)


@pytest.mark.parametrize("digits", [b"3\r", b"NO CARRIER\r", b"\r\nOK\r\n", b"\r\nCONNECT\r\n"])
def test_other_results_are_damage(digits: bytes) -> None:
    assert hear(digits + b"\0", ANSWER.to_bytes()) == ([ANSWER], False, 1)


@pytest.mark.parametrize("frame", FROM_PC, ids=lambda frame: f"{frame.kind.name}{frame.fields[:1]}")
def test_a_frame_of_ours_that_comes_back_is_the_end(frame: Frame) -> None:
    assert frame.is_from_pc
    assert hear(ANSWER.to_bytes() + frame.to_bytes() + WORKING.to_bytes()) == ([ANSWER], True, 0)


@pytest.mark.parametrize("frame", FROM_DEVICE, ids=lambda frame: f"{frame.kind.name}{frame.fields[:1]}")
def test_a_frame_of_the_device_is_none_of_ours(frame: Frame) -> None:
    assert not frame.is_from_pc
    assert hear(frame.to_bytes()) == ([frame], False, 0)


def test_every_kind_is_the_pcs_or_the_devices() -> None:
    assert {frame.kind for frame in FROM_PC + FROM_DEVICE} == set(Kind)


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.binary(max_size=300)), min_size=1, max_size=4),
    st.lists(st.integers(0, 1500), max_size=12),
)
def test_no_carrier_inside_a_frame_is_content(bodies: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    frames = [Frame(Kind.PAIR, (2,), before + NO_CARRIER + after) for before, after in bodies]
    octets = b"".join(frame.to_bytes() for frame in frames)
    places = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    assert hear(*(octets[a:b] for a, b in pairwise(places))) == (frames, False, 0)

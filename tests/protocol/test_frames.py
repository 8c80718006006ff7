"""Frames: their octets, what is dropped, and that no damage outlives the next zero (docs/protocol.md, section 2)."""

from binascii import crc_hqx
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_protocol.limits import FRAME_LIMIT
from fob_protocol.link import cobs
from fob_protocol.link.frames import CRC_START, LEAVE, Frame, FrameReader, Kind
from support.footprint import octets_held

SEAL = bytes(range(16))

# Each kind with its fields, a body that fits, and its header on the line.
KINDS = [
    (Frame(Kind.PAIR, (1,), b"body"), "01 01"),
    (Frame(Kind.HANDSHAKE, (2,), b""), "02 02"),
    (Frame(Kind.REFUSE, (3,)), "03 03"),
    (LEAVE, "04"),
    (Frame(Kind.REQUEST, (0x0102,), SEAL), "10 0102"),
    (Frame(Kind.REQUEST_PART, (0x0102, 3, 4), SEAL), "11 0102 0003 0004"),
    (Frame(Kind.FETCH, (0x0102, 3), SEAL), "12 0102 0003"),
    (Frame(Kind.CANCEL, (0x0102,), SEAL), "13 0102"),
    (Frame(Kind.RELEASE, (0x0102,), SEAL), "14 0102"),
    (Frame(Kind.EVENT_RECEIVED, (0x0102,), SEAL), "15 0102"),
    (Frame(Kind.CLOSE, (), SEAL), "16"),
    (Frame(Kind.ANSWER, (0xFFFF,), SEAL), "20 ffff"),
    (Frame(Kind.ANSWER_PART, (0, 0, 1), SEAL), "21 0000 0000 0001"),
    (Frame(Kind.PART_RECEIVED, (0, 1), SEAL), "22 0000 0001"),
    (Frame(Kind.WORKING, (0,), SEAL), "23 0000"),
    (Frame(Kind.EVENT, (0,), SEAL), "24 0000"),
]
FRAME = st.sampled_from([frame for frame, _ in KINDS])


def read(octets: bytes, reader: FrameReader | None = None) -> list[Frame]:
    """The frames in these octets."""
    return list((reader or FrameReader()).feed(octets))


def on_the_line(content: bytes) -> bytes:
    """Any content as a frame with a right CRC."""
    return cobs.encode(content + crc_hqx(content, CRC_START).to_bytes(2, "big")) + b"\0"


def test_the_check_value_of_crc_16_ccitt_false() -> None:
    assert crc_hqx(b"123456789", CRC_START) == 0x29B1


def test_the_octets_of_leave() -> None:
    assert LEAVE.to_bytes() == b"\x0a\x04+++FOB" + crc_hqx(b"\x04+++FOB", CRC_START).to_bytes(2, "big") + b"\0"


@pytest.mark.parametrize(("frame", "header"), KINDS, ids=[frame.kind.name for frame, _ in KINDS])
def test_each_kind_and_its_octets(frame: Frame, header: str) -> None:
    assert frame.header == bytes.fromhex(header)
    assert frame.to_bytes() == on_the_line(bytes.fromhex(header) + frame.body)
    assert read(frame.to_bytes()) == [frame]


def test_every_kind_is_in_the_table() -> None:
    assert [frame.kind for frame, _ in KINDS] == list(Kind)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05",
        b"\x7f" + SEAL,
        b"\x01",
        b"\x03\x01x",
        b"\x04",
        b"\x04+++FOX",
        b"\x04+++FOB!",
        b"\x10\x01",
        b"\x10\x01\x02" + SEAL[:15],
        b"\x11\x00\x00\x00\x00\x00",
        b"\x16" + SEAL[:15],
        b"\x01\x01" + bytes(FRAME_LIMIT - 3),
        b"\x01\x01" + b"x" * (FRAME_LIMIT - 3),
    ],
    ids=lambda content: f"{content[:4].hex()} {len(content)}",
)
def test_what_breaks_a_rule_is_dropped_and_counted(content: bytes) -> None:
    reader = FrameReader()
    assert read(on_the_line(content), reader) == []
    assert reader.damaged == 1
    assert read(LEAVE.to_bytes(), reader) == [LEAVE]


@pytest.mark.parametrize("filler", [b"\0", b"x"])
def test_the_longest_frame_is_read(filler: bytes) -> None:
    frame = Frame(Kind.PAIR, (1,), filler * (FRAME_LIMIT - 4))
    assert read(frame.to_bytes()) == [frame]


def test_a_zero_alone_is_no_damage() -> None:
    reader = FrameReader()
    assert read(b"\0\0\0" + LEAVE.to_bytes() + b"\0", reader) == [LEAVE]
    assert reader.damaged == 0


@given(st.lists(FRAME, max_size=8), st.lists(st.integers(0, 400), max_size=12))
def test_frames_come_whole_however_the_line_cuts_them(frames: list[Frame], cuts: list[int]) -> None:
    octets = b"".join(frame.to_bytes() for frame in frames)
    places = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    reader = FrameReader()
    chunks = [octets[a:b] for a, b in pairwise(places)]
    assert [frame for chunk in chunks for frame in reader.feed(chunk)] == frames
    assert reader.damaged == 0


@given(st.lists(st.binary(max_size=900), max_size=6), FRAME)
def test_after_any_garbage_and_one_zero_the_next_frame_is_read(garbage: list[bytes], frame: Frame) -> None:
    reader = FrameReader()
    for chunk in garbage:
        list(reader.feed(chunk))
    list(reader.feed(b"\0"))
    assert read(frame.to_bytes(), reader) == [frame]


@pytest.mark.parametrize("bit", range(8))
def test_each_flipped_bit_of_a_frame_is_noticed(bit: int) -> None:
    octets = Frame(Kind.WORKING, (7,), SEAL).to_bytes()
    for place in range(len(octets) - 1):
        damaged = bytearray(octets)
        damaged[place] ^= 1 << bit
        assert read(bytes(damaged)) == []


def test_a_frame_without_end_holds_a_bounded_number_of_octets() -> None:
    reader = FrameReader()
    most = 0
    for _ in range(2_000):
        assert read(b"x" * 500, reader) == []
        most = max(most, octets_held(reader))
    assert most <= FRAME_LIMIT + 3
    assert read(b"\0" + LEAVE.to_bytes(), reader) == [LEAVE]
    assert reader.damaged == 1


def test_a_huge_chunk_leaves_nothing_behind() -> None:
    reader = FrameReader()
    assert read(b"x" * 1_000_000 + b"\0" + LEAVE.to_bytes() + b"y" * 1_000_000, reader) == [LEAVE]
    assert octets_held(reader) == 0


def test_a_frame_shows_no_body() -> None:
    assert "body" not in repr(Frame(Kind.PAIR, (1,), b"body"))

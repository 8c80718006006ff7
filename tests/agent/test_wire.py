"""Agent messages on a stream, and the data types of RFC 4251."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.agent.limits import MAX_MESSAGE
from fob_daemon.agent.wire import (
    MalformedMessageError,
    MessageLengthError,
    MessageReader,
    Reader,
    frame,
    mpint,
    string,
    u32,
)

# RFC 4251, section 5: the examples of mpint.
MPINTS = {
    0: "00000000",
    0x9A378F9B2E332A7: "0000000809a378f9b2e332a7",
    0x80: "000000020080",
    0x7F: "000000017f",
}


def test_a_message_arrives_byte_by_byte() -> None:
    reader = MessageReader()
    for byte in b"\x00\x00\x00":
        reader.feed(bytes((byte,)))
        assert reader.next_message() is None
    reader.feed(b"\x01")
    assert reader.next_message() is None
    reader.feed(b"\x0b")
    assert reader.next_message() == b"\x0b"
    assert reader.next_message() is None
    assert reader.waiting == 0


@given(st.lists(st.binary(min_size=1, max_size=50)), st.data())
def test_messages_come_out_as_they_went_in_however_they_are_cut(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(map(frame, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    reader = MessageReader()
    received = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:end])
        while (message := reader.next_message()) is not None:
            received.append(message)
    assert received == messages


@pytest.mark.parametrize("length", [0, MAX_MESSAGE + 1, 2 * 1024**3, 0xFFFF_FFFF])
def test_a_length_that_no_message_has_is_refused_at_once(length: int) -> None:
    reader = MessageReader()
    reader.feed(u32(length))
    with pytest.raises(MessageLengthError, match=f"a message of {length} bytes"):
        reader.next_message()


def test_the_longest_message_is_taken() -> None:
    reader = MessageReader()
    reader.feed(frame(bytes(MAX_MESSAGE)))
    assert reader.next_message() == bytes(MAX_MESSAGE)


def test_fields_are_read_in_order() -> None:
    reader = Reader(b"\x07" + u32(258) + string(b"abc") + b"\x01\x00" + mpint(0x80) + b"left")
    assert (reader.byte(), reader.u32(), reader.string()) == (7, 258, b"abc")
    assert (reader.boolean(), reader.boolean(), reader.positive_mpint()) == (True, False, 0x80)
    assert reader.rest() == b"left"
    reader.end()


@pytest.mark.parametrize("data", [b"", b"\x00\x00", u32(1), u32(0xFFFF_FFFF) + b"x"])
def test_a_string_that_breaks_off(data: bytes) -> None:
    with pytest.raises(MalformedMessageError, match="breaks off"):
        Reader(data).string()


def test_bytes_after_the_last_field() -> None:
    reader = Reader(b"\x00\x01")
    reader.byte()
    with pytest.raises(MalformedMessageError, match="1 bytes too many"):
        reader.end()


def test_a_negative_mpint() -> None:
    with pytest.raises(MalformedMessageError, match="negative"):
        Reader(string(b"\x80")).positive_mpint()


@pytest.mark.parametrize(("value", "encoded"), MPINTS.items())
def test_mpints_of_the_standard(value: int, encoded: str) -> None:
    assert mpint(value).hex() == encoded


@given(st.integers(min_value=0, max_value=1 << 600))
def test_mpints_come_back(value: int) -> None:
    assert Reader(mpint(value)).positive_mpint() == value

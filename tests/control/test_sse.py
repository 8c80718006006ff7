"""Server-sent events both ways."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_daemon.control.events import EventQueue
from fob_daemon.control.json_form import Json
from fob_daemon.control.sse import HEARTBEAT, MAX_EVENT, EventReader, ServerEvent, StreamError, encode_event

texts = st.text(max_size=50)
values: st.SearchStrategy[dict[str, Json]] = st.dictionaries(texts, texts | st.integers() | st.booleans() | st.none())


def read(stream: bytes) -> list[ServerEvent]:
    reader = EventReader()
    return [event for line in stream.split(b"\n")[:-1] for event in reader.feed(line)]


def test_an_event_on_the_wire() -> None:
    assert encode_event("ask", {"words": "a\nb"}) == b'event: ask\ndata: {"words":"a\\nb"}\n\n'


@given(st.lists(values))
def test_what_is_written_is_read(data: list[dict[str, Json]]) -> None:
    stream = b"".join(HEARTBEAT + encode_event("log", value) for value in data)

    assert [event.data for event in read(stream)] == data


@given(st.binary(max_size=300))
def test_any_stream_is_read_or_refused(stream: bytes) -> None:
    with contextlib.suppress(StreamError):
        read(stream)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(StreamError, match="an event that is no JSON"):
        read(b"data: {\n\n")


def test_an_event_without_end_is_refused() -> None:
    with pytest.raises(StreamError, match="an event over 65536 bytes"):
        read(b"data: 0123456789\n" * MAX_EVENT)


async def test_a_slow_reader_loses_the_oldest_and_hears_how_many() -> None:
    queue = EventQueue[int](limit=3)
    for number in range(5):
        queue.put(number)

    assert [await queue.get() for _ in range(3)] == [(2, 2), (3, 0), (4, 0)]

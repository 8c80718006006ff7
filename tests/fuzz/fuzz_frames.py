"""Frames: any octets in any pieces are dropped or read, memory is bounded, and the frame after a zero is read."""

import sys

import atheris

with atheris.instrument_imports(include=["fob_protocol"]):
    from fob_protocol.limits import FRAME_LIMIT
    from fob_protocol.link import cobs
    from fob_protocol.link.frames import LEAVE, Frame, FrameReader, Kind


def test_one_input(data: bytes) -> None:
    """One case of the fuzzer: the octets as they are, and as the content of a frame that is whole."""
    provider = atheris.FuzzedDataProvider(data)
    reader = FrameReader()
    while provider.remaining_bytes():
        chunk = provider.ConsumeBytes(provider.ConsumeIntInRange(1, 900))
        for frame in reader.feed(chunk):
            assert list(FrameReader().feed(frame.to_bytes())) == [frame]
        assert len(reader._buffer) <= FRAME_LIMIT + 3
    assert list(reader.feed(b"\0" + LEAVE.to_bytes()))[-1] == LEAVE

    assert cobs.decode(cobs.encode(data)) == data
    Frame.from_content(data)
    frame = Frame(Kind.PAIR, (1,), data[: FRAME_LIMIT - 4])
    assert list(FrameReader().feed(frame.to_bytes())) == [frame]


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input)
    atheris.Fuzz()

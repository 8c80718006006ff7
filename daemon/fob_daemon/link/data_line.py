"""A line in data state: frames in, frames out, counted."""

from collections.abc import Callable

from fob_daemon.link.opening import Opening
from fob_daemon.link.transport import Line, LineOpener, LineUrl, open_line
from fob_protocol.limits import FRAME_LIMIT
from fob_protocol.link.frames import Frame, FrameReader


class DataLine:
    """An open line in data state. `on_frame` is whoever the frames are for now."""

    def __init__(self, url: LineUrl, line: Line, opening: Opening, reader: FrameReader) -> None:
        self.url = url
        self.line = line
        self.versions = opening.versions
        self.version = opening.version
        self.on_frame: Callable[[Frame], None] = lambda frame: None
        self._reader = reader

    @property
    def frame_time(self) -> float:
        """Seconds that two full frames need on this line."""
        return 2 * FRAME_LIMIT / self.line.rate if self.line.rate else 0.0

    @property
    def damaged(self) -> int:
        """Frames that arrived damaged."""
        return self._reader.damaged

    def send(self, frame: Frame) -> None:
        """Write a frame."""
        self.line.write(frame.to_bytes())

    def data_received(self, data: bytes) -> None:
        """Take octets of the line."""
        for frame in self._reader.feed(data):
            self.on_frame(frame)


async def open_data_line(url: LineUrl, opener: LineOpener = open_line) -> DataLine:
    """Open a line and bring its device to data state; `opener` is what tests put another line in by.

    Raises LineUnavailableError, NotADeviceError, VersionError, ConnectionError.
    """
    opening = Opening()
    # The octets of command state go to `opening`; once CONNECT came, the rest are frames.
    receivers: list[Callable[[bytes], None]] = [opening.data_received]
    line = await opener(url, lambda data: receivers[-1](data))
    try:
        rest = await opening.open(line)
    except BaseException:
        line.close()
        raise
    data_line = DataLine(url, line, opening, FrameReader())
    receivers.append(data_line.data_received)
    data_line.data_received(rest)
    return data_line

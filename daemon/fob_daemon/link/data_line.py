"""A line whose device is in data state: frames in, frames out, counted."""

import asyncio
from collections.abc import Callable

from fob_daemon.link.opening import OnAnswer, Opening
from fob_daemon.link.transport import Line, LineOpener, LineUrl, open_line
from fob_protocol.link.device_reader import DeviceReader
from fob_protocol.link.frames import Frame


class HungUpError(ConnectionError):
    """The device left data state."""


class Receiver:
    """Whoever the octets of a line are for now: nobody, its opening, the reader of its frames."""

    def __init__(self) -> None:
        self.take: Callable[[bytes], None] = _ignore

    def __call__(self, data: bytes) -> None:
        """Octets came."""
        self.take(data)


class DataLine:
    """An open line. Between `enter` and the device's leaving, frames go to `on_frame`; then `on_over` is called."""

    def __init__(self, url: LineUrl, line: Line, receiver: Receiver) -> None:
        self.url = url
        self.line = line
        self.versions = b""
        self.version = 0
        self.on_frame: Callable[[Frame], None] = _ignore
        self.on_over: Callable[[], None] = _nothing
        self._receiver = receiver
        # Of a device that was asked and has not entered data state since.
        self._opening: Opening | None = None
        self._reader = DeviceReader()
        self._damaged_before = 0

    @property
    def damaged(self) -> int:
        """Frames that arrived damaged."""
        return self._damaged_before + self._reader.damaged

    @property
    def is_over(self) -> bool:
        """True once the device left data state; `enter` brings it back."""
        return self._reader.is_over

    async def ask(self, on_answer: OnAnswer) -> None:
        """Wake the device; it stays in command state (see `Opening`).

        Raises NotADeviceError, VersionError, ConnectionError.
        """
        self._opening = Opening(on_answer)
        self._receiver.take = self._opening.data_received
        await self._opening.ask(self.line)

    async def enter(self, on_answer: OnAnswer) -> None:
        """Bring the device to data state, whatever state it is in (see `Opening`).

        Raises NotADeviceError, VersionError, ConnectionError.
        """
        opening, self._opening = self._opening or Opening(on_answer), None
        self._receiver.take = opening.data_received
        rest = await opening.open(self.line)
        self.versions, self.version = opening.versions, opening.version
        self._damaged_before = self.damaged
        self._reader = DeviceReader()
        self.listen(_ignore, _nothing)
        self._receiver.take = self._read
        self._read(rest)

    def listen(self, on_frame: Callable[[Frame], None], on_over: Callable[[], None]) -> None:
        """Frames go here from now on; who comes after the end is told at once."""
        self.on_frame, self.on_over = on_frame, on_over
        if self.is_over:
            on_over()

    def send(self, frame: Frame) -> None:
        """Write a frame."""
        self.line.write(frame.to_bytes())

    def _read(self, data: bytes) -> None:
        for frame in self._reader.feed(data):
            self.on_frame(frame)
        if self.is_over:
            self._receiver.take = _ignore
            self.on_over()


class FrameQueue:
    """The frames of a line one by one, for a conversation in steps: `with FrameQueue(data_line) as frames`."""

    def __init__(self, data_line: DataLine) -> None:
        self._data_line = data_line
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._loss: asyncio.Task[None] | None = None

    def __enter__(self) -> "FrameQueue":
        self._loss = asyncio.get_running_loop().create_task(self._tell_loss())
        self._data_line.listen(self._frames.put_nowait, self._end)
        return self

    def __exit__(self, *_: object) -> None:
        if self._loss is not None:
            self._loss.cancel()

    async def get(self) -> Frame:
        """The next frame. Raises HungUpError; ConnectionError when the line ended."""
        frame = await self._frames.get()
        if frame is None:
            # Whoever asks once more is told once more.
            self._end()
            if self._data_line.is_over:
                raise HungUpError("the device hung up")
            raise ConnectionError("the line ended")
        return frame

    async def _tell_loss(self) -> None:
        await self._data_line.line.lost.wait()
        self._end()

    def _end(self) -> None:
        self._frames.put_nowait(None)


async def open_line_to(url: LineUrl, opener: LineOpener) -> DataLine:
    """Open a line; its device is not asked anything yet. Raises LineUnavailableError."""
    receiver = Receiver()
    return DataLine(url, await opener(url, receiver), receiver)


async def open_data_line(url: LineUrl, opener: LineOpener = open_line, on_answer: OnAnswer | None = None) -> DataLine:
    """Open a line and bring its device to data state; `opener` is what tests put another line in by.

    Raises LineUnavailableError, NotADeviceError, VersionError, ConnectionError.
    """
    data_line = await open_line_to(url, opener)
    try:
        await data_line.enter(on_answer or _ignore)
    except BaseException:
        data_line.line.close()
        raise
    return data_line


def _ignore(what: object) -> None:
    """Nobody listens."""


def _nothing() -> None:
    """Nobody wants to know."""

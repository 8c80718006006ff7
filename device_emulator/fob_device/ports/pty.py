"""A pseudo-terminal: the PC opens its other end like any serial device, through a link at a path of one's choice."""

import asyncio
import errno
import os
import pty
import select
import tty
from pathlib import Path

from fob_device.line.phone_lines import PhoneLines
from fob_device.ports.pty_link import terminal_link
from fob_device.ports.url import Opened

READ_SIZE = 4096

# What waits for a PC that does not read: one tap may answer 256 requests, a frame of up to 700 octets and a question's
# words for each. Beyond it the line is dropped, as a modem without flow control would.
UNSENT_LIMIT = 524_288

# How often a line that nobody has open is looked at.
REOPEN_POLL = 0.05


class PtyLine:
    """The master end of a pseudo-terminal."""

    def __init__(self, master: int, lines: PhoneLines) -> None:
        self._master = master
        self._unsent = bytearray()
        self._loop = asyncio.get_running_loop()
        self._hung_up = asyncio.Event()
        self._is_closed = False
        self._line = lines(self.write, close=self.close)

    async def serve(self) -> None:
        """Pass octets both ways until cancelled, or closed from this side."""
        while not self._is_closed:
            self._hung_up.clear()
            self._loop.add_reader(self._master, self._read)
            try:
                await self._hung_up.wait()
            finally:
                self._loop.remove_reader(self._master)
                self._loop.remove_writer(self._master)
            self._unsent.clear()
            self._line.hang_up()
            while not (self._is_closed or self._is_open()):  # noqa: ASYNC110 - the kernel does not tell "opened again"
                await asyncio.sleep(REOPEN_POLL)

    def close(self) -> None:
        """The phone ends the connection."""
        self._is_closed = True
        self._hung_up.set()

    def write(self, data: bytes) -> None:
        """Send octets; what the line does not take at once waits."""
        if len(self._unsent) + len(data) > UNSENT_LIMIT:
            self._unsent.clear()
            return
        self._unsent += data
        self._write_unsent()

    def _write_unsent(self) -> None:
        try:
            sent = os.write(self._master, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._unsent.clear()
            sent = 0
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(self._master, self._write_unsent)
        else:
            self._loop.remove_writer(self._master)

    def _read(self) -> None:
        try:
            data = os.read(self._master, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if data:
            self._line.data_received(data)
        else:
            self._hung_up.set()

    def _is_open(self) -> bool:
        poll = select.poll()
        poll.register(self._master, select.POLLHUP)
        return not any(event & select.POLLHUP for _, event in poll.poll(0))


async def serve_pty(path: str, lines: PhoneLines, opened: Opened) -> None:
    """Make a pseudo-terminal, put a link to it at `path`, and serve it until cancelled. Raises OSError.

    One that the phone closes gives way to a new one.
    """
    while True:
        await _serve_once(path, lines, opened)


async def _serve_once(path: str, lines: PhoneLines, opened: Opened) -> None:
    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        terminal = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(master, False)
        line = PtyLine(master, lines)
        with terminal_link(Path(path), terminal):
            opened()
            await line.serve()
    finally:
        os.close(master)

"""A terminal for as long as a live view has it: whole frames, no flicker, and afterwards as it was before.

Control sequences: ECMA-48 and xterm's private modes (invisible-island.net/xterm/ctlseqs/ctlseqs.html).
"""

import os
import select
import signal
import sys
import termios
from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Final

from fob_daemon.cli.questions import Withdrawal

# The alternate screen, where nothing of what stood there is lost; no cursor; no wrapping of a line that is too wide.
_ENTER: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l"
_LEAVE: Final = "\x1b[?7h\x1b[?25h\x1b[?1049l"
# A terminal that knows synchronized updates shows the frame at once; the others ignore the request.
_BEGIN: Final = "\x1b[?2026h\x1b[H"
_END: Final = "\x1b[?2026l"

QUIT: Final = b"q"
_NOTHING: Final = b"\0"


class Terminal:
    """Standard output's, while the block lasts; keys come from standard input where that is a terminal too."""

    def __init__(self) -> None:
        self._leave = ExitStack()
        self._shown = ""
        self._woken = -1

    def __enter__(self) -> "Terminal":
        self._leave.callback(self._write, _LEAVE)
        self._take_keys()
        self._hear_signals()
        self._write(_ENTER)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave.close()

    @property
    def size(self) -> os.terminal_size:
        """Columns and lines now."""
        return os.get_terminal_size(sys.stdout.fileno())

    def show(self, lines: Sequence[str]) -> None:
        """A whole frame, as large as the terminal, in one write; none when it is the one that stands there."""
        frame = "\r\n".join(lines)
        if frame != self._shown:
            self._shown = frame
            self._write(_BEGIN + frame + _END)

    def wait(self, seconds: float, source: Withdrawal | None) -> bool:
        """Until `source` can be read, a key is typed, the size changes, or the time is over. False: the key quits."""
        keys = [sys.stdin] if _has_keys() else []
        ready = select.select([*keys, self._woken, *([source] if source else [])], (), (), seconds)[0]
        if self._woken in ready:
            os.read(self._woken, 64)
            # Its contents may have moved.
            self._shown = ""
        return not (keys and sys.stdin in ready and os.read(sys.stdin.fileno(), 64) in (QUIT, b""))

    def _take_keys(self) -> None:
        """Typed keys are not echoed into the view. Ctrl-C works; Ctrl-Z would leave the terminal as it is now."""
        if not _has_keys():
            return
        before = termios.tcgetattr(sys.stdin)
        self._leave.callback(termios.tcsetattr, sys.stdin, termios.TCSAFLUSH, before)
        mode = termios.tcgetattr(sys.stdin)
        mode[3] &= ~(termios.ECHO | termios.ICANON)
        mode[6][termios.VSUSP] = _NOTHING
        termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, mode)

    def _hear_signals(self) -> None:
        """A change of the size ends a wait; who is asked to end cleans up first."""
        self._woken, waking = os.pipe()
        os.set_blocking(waking, False)
        self._leave.callback(os.close, self._woken)
        self._leave.callback(os.close, waking)
        self._leave.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(waking))
        for number, handler in (
            (signal.SIGWINCH, lambda *_: None),
            (signal.SIGTERM, signal.default_int_handler),
            (signal.SIGHUP, signal.default_int_handler),
        ):
            self._leave.callback(signal.signal, number, signal.signal(number, handler))

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def _has_keys() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()

"""What the phone gives a port."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from fob_device.line.device_line import DeviceLine
from fob_device.line.pairing import Paired
from fob_device.phone import Phone
from fob_protocol.session.pace import Pace


class LineHandler(Protocol):
    """What a port drives: a DeviceLine."""

    def data_received(self, data: bytes) -> None: ...
    def hang_up(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PhoneLines:
    """Makes a line for each PC; a radio port also asks the phone for its bonds. `over`: the port's URL."""

    phone: Phone
    over: str = field(default="", kw_only=True)

    @property
    def is_cut(self) -> bool:
        """True when the port ends without a word: nobody at its other end would hear it."""
        return False

    def __call__(
        self,
        write: Callable[[bytes], None],
        paired: Paired = lambda pc_key: None,
        close: Callable[[], None] = lambda: None,
        pace: Callable[[], Pace] = Pace,
    ) -> LineHandler:
        """A line in command state, which writes by `write` and tells `paired` which PCs pair over it.

        `close` ends the connection from the phone's side, for whoever stands between port and line. `pace`: the line's,
        at any time.
        """
        return DeviceLine(self.phone, write, paired, self.over, pace)

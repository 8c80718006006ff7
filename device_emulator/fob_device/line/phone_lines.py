"""What the phone gives a port."""

from collections.abc import Callable
from dataclasses import dataclass

from fob_device.line.device_line import DeviceLine
from fob_device.line.pairing import Paired
from fob_device.phone import Phone


@dataclass(frozen=True, slots=True)
class PhoneLines:
    """Makes a line for each PC; a radio port also asks the phone for its bonds."""

    phone: Phone

    def __call__(self, write: Callable[[bytes], None], paired: Paired = lambda pc_key: None) -> DeviceLine:
        """A line in command state, which writes by `write` and tells `paired` which PCs pair over it."""
        return DeviceLine(self.phone, write, paired)

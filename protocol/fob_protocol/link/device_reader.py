"""What a PC hears of a device: its frames, until the device leaves data state (docs/protocol.md, section 2.1)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from fob_protocol.link.frames import Frame, FrameReader


@dataclass(slots=True)
class DeviceReader:
    """Octets of a device in, its frames out. Once `is_over` the device is in command state, and no frame comes."""

    is_over: bool = False
    _frames: FrameReader = field(default_factory=FrameReader)

    @property
    def damaged(self) -> int:
        """Frames that arrived damaged."""
        return self._frames.damaged

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take octets of the line; yields the device's frames up to the sign that it left data state."""
        if self.is_over:
            return
        for frame in self._frames.feed(data):
            # Command state sends back what it is sent (ATE1): the device does not know our frame for one.
            if self._frames.heard_no_carrier or frame.is_from_pc:
                self.is_over = True
                return
            yield frame
        self.is_over = self._frames.heard_no_carrier

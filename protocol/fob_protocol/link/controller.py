"""A Bluetooth controller's name, on either side of the radio: KIND:PLACE, as the library bumble has it."""

import shlex
from dataclasses import dataclass
from typing import Final

KINDS: Final = ("hci-socket", "usb", "serial", "tcp-client", "unix-client")


class ControllerError(ValueError):
    """The text names no controller."""

    def __init__(self) -> None:
        super().__init__(f"a controller is one of {', '.join(KINDS)}, a colon, and which")


@dataclass(frozen=True, slots=True)
class Controller:
    """`hci-socket:0`: hci0 of the kernel; `usb:0`; `serial:/dev/ttyACM0,1000000`; `tcp-client:HOST:PORT`; a socket."""

    kind: str
    place: str

    @classmethod
    def parse(cls, text: str) -> "Controller":
        """Raises ControllerError."""
        kind, _, place = text.partition(":")
        if kind not in KINDS or not place:
            raise ControllerError
        return cls(kind, place)

    @property
    def path(self) -> str:
        """The file that it is reached by, for a kind that has one: a serial device has options behind it."""
        return self.place.partition(",")[0] if self.kind == "serial" else self.place

    @property
    def address(self) -> tuple[str, str]:
        """Host and port, for `tcp-client`."""
        host, _, port = self.place.rpartition(":")
        return host, port

    @property
    def look(self) -> str:
        """A command that shows whether it is there."""
        match self.kind:
            case "hci-socket":
                return f"ls -l /sys/class/bluetooth/{shlex.quote(f'hci{self.place}')}"
            case "usb":
                return "lsusb"
            case "tcp-client":
                return f"getent hosts {shlex.quote(self.address[0])}"
        return f"ls -l {shlex.quote(self.path)}"

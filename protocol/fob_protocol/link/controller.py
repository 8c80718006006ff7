"""A Bluetooth controller's name, on either side of the radio: KIND:PLACE, as the library bumble has it."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fob_protocol.link.line_options import TCP_PORT_MAXIMUM

KINDS: Final = ("hci-socket", "usb", "serial", "tcp-client", "unix-client")


class ControllerError(ValueError):
    """The text names no controller, and says what would."""


# As the kernel counts its controllers, in 16 bits of which the last value is none (bluetooth/hci.h).
_HCI_MAXIMUM: Final = 65_534

# The place of each kind that has a form, and the form in words: bumble finds out late, and says nothing of use. By USB
# the first, a vendor and product with a serial number or index, or a bus and ports; "+sco" and "!" are bumble's too.
_FORMS: Final[Mapping[str, tuple[re.Pattern[str], str]]] = {
    "hci-socket": (re.compile(r"[0-9]{1,5}"), f"a number from 0 to {_HCI_MAXIMUM}, as in hci-socket:0"),
    "usb": (
        re.compile(
            r"(?:[0-9]{1,3}|[0-9]{1,3}-[0-9.]{1,32}|[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}(?:#[0-9]{1,3}|/[!-~]{1,64})?)"
            r"(?:\+sco=[0-9]{1,2})?!?"
        ),
        "a number, VENDOR:PRODUCT or BUS-PORT, as in usb:0 or usb:04b4:f901",
    ),
    "tcp-client": (
        re.compile(r"[^:\s/]+:[0-9]{1,5}"),
        f"HOST:PORT with a port from 1 to {TCP_PORT_MAXIMUM}, as in tcp-client:127.0.0.1:6402",
    ),
}


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
            raise ControllerError(f"a controller is one of {', '.join(KINDS)}, a colon, and which")
        pattern, words = _FORMS.get(kind, (None, ""))
        if (pattern is not None and pattern.fullmatch(place) is None) or not _is_in_range(kind, place):
            raise ControllerError(f"behind {kind}: stands {words}")
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


def _is_in_range(kind: str, place: str) -> bool:
    """Whether the number in a place that has the right form may be."""
    match kind:
        case "hci-socket":
            return int(place) <= _HCI_MAXIMUM
        case "tcp-client":
            return 1 <= int(place.rpartition(":")[2]) <= TCP_PORT_MAXIMUM
    return True

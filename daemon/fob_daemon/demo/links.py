"""The lines that a demo can put between phone and daemon."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from fob_daemon.demo.errors import NOT_BEGUN, DemoError
from fob_daemon.demo.scratch import Scratch
from fob_daemon.link.packages import install_command, missing_packages, words_for

if TYPE_CHECKING:
    from fob_daemon.demo.processes import Processes


# The phone on the table advertises ten times in this time, and nothing is lost on the way.
SCAN_TIME: Final = "1"


class DemoLink(Protocol):
    """One kind of line."""

    @property
    def words(self) -> str:
        """What the phone is on."""

    def check(self) -> None:
        """Is there what this kind of line needs? Raises DemoError."""

    def port(self, scratch: Scratch) -> str:
        """The phone's port."""

    def configuration(self, scratch: Scratch) -> str:
        """What the daemon's configuration file needs for it, TOML."""

    def prepare(self, processes: "Processes") -> None:
        """Start what has to be there before the phone. Raises DemoError."""

    def url(self, processes: "Processes") -> str:
        """Where the daemon finds the phone. Raises DemoError."""


@dataclass(frozen=True, slots=True)
class SerialLink:
    """A pseudo-terminal, as a serial cable."""

    words: str = "a serial line"

    def check(self) -> None:
        """The kernel has it."""

    def port(self, scratch: Scratch) -> str:
        """A pty."""
        return f"pty:{scratch.line}"

    def configuration(self, scratch: Scratch) -> str:
        """Nothing."""
        return ""

    def prepare(self, processes: "Processes") -> None:
        """Nothing."""

    def url(self, processes: "Processes") -> str:
        """The pty."""
        return f"serial:{processes.scratch.line}"


@dataclass(frozen=True, slots=True)
class RadioLink:
    """Bluetooth Low Energy over the virtual radio, a controller for each side.

    `interval`: milliseconds from connection event to event that connections begin with, None for what phones commonly
    choose; with `hold` they keep it.
    """

    interval: float | None = None
    hold: bool = False
    words: str = "a virtual Bluetooth radio"

    def check(self) -> None:
        """The extras of the distribution."""
        missing = missing_packages(own_controller=True)
        if missing:
            raise DemoError(NOT_BEGUN, words_for(missing), install_command(own_controller=True))

    def port(self, scratch: Scratch) -> str:
        """The phone's controller."""
        return f"ble:unix-client:{scratch.air}"

    def configuration(self, scratch: Scratch) -> str:
        """The daemon's controller."""
        return f"[bluetooth]\nhci = {json.dumps(f'unix-client:{scratch.air}')}\n"

    def prepare(self, processes: "Processes") -> None:
        """Make air."""
        processes.start_radio(self.interval, hold=self.hold)

    def url(self, processes: "Processes") -> str:
        """The phone is the only one that a scan hears."""
        found = json.loads(processes.fob("--json", "devices", "--scan", "--seconds", SCAN_TIME))["devices"]
        if not found:
            raise DemoError("no phone is near", "the scan heard nothing")
        return str(found[0]["url"])


LINKS: Final[dict[str, DemoLink]] = {"serial": SerialLink(), "ble": RadioLink()}

"""What a check needs, and what it says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from fob_daemon.cli.checks.fix import Fix
from fob_daemon.cli.setting_up.person import Person
from fob_daemon.cli.starting import BY_HAND, RESTART, START, has_systemd
from fob_daemon.control.errors import ControlError, ExitCode

_OF_ROOT: Final = ("sudo ", "apt install ")


class Outcome(StrEnum):
    """How a check ends. `skip`: it does not apply here, or cannot be known."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One entry of the report.

    WARN and FAIL say `what` is wrong, `why`, and the `next` command or deed, as every error does. Of the others `what`
    names what was looked at, and `why` tells how it is. `fix`: what this user can have done at once; where there is
    none, `next` is for a person.
    """

    outcome: Outcome
    what: str
    why: str
    next: str = ""
    fix: Fix | None = field(default=None, compare=False)

    @property
    def is_trouble(self) -> bool:
        """Something is to be mended."""
        return self.outcome in (Outcome.WARN, Outcome.FAIL)

    @property
    def needs_root(self) -> bool:
        """The next command is one that only root may run."""
        return self.is_trouble and self.next.startswith(_OF_ROOT)


def no_office() -> tuple[dict[str, Any], dict[str, Any]]:
    """Of a machine where none is configured. Raises ControlError."""
    raise ControlError("there is no office", "none is configured", "docs/configuration.md", ExitCode.NOTHING_TO_DO)


def not_enrolled() -> dict[str, Any]:
    """Of a machine whose fobd nobody has enrolled."""
    return {"enrolled": False}


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine under examination. `status` is the daemon's report, None when there is a `refusal` instead.

    `ask_office`: the office that is configured, and whether it answers; raises ControlError, NOTHING_TO_DO for none.
    `skew_of`: how many seconds a device's clock is ahead of this machine's, None where that is not known. `state`: the
    folder of what this user's daemon keeps. `ask_relays`: as devices told last; `ask_meters`: as those that are here
    tell now; `ask_copies`: the components of a device, and how the copies of its programs stand.
    """

    environment: Mapping[str, str]
    uid: int
    root: Path
    control: Path
    provider: Path
    agent: Path
    status: dict[str, Any] | None
    refusal: ControlError | None = None
    skew_of: Callable[[dict[str, Any]], float | None] = lambda device: None
    ask_office: Callable[[], tuple[dict[str, Any], dict[str, Any]]] = no_office
    state: Path | None = None
    ask_own_copy: Callable[[], dict[str, Any]] = not_enrolled
    ask_relays: Callable[[], list[dict[str, Any]]] = list
    ask_meters: Callable[[], list[dict[str, Any]]] = list
    ask_copies: Callable[[str], tuple[list[dict[str, Any]], list[dict[str, Any]]]] = lambda device: ([], [])

    @property
    def person(self) -> Person:
        """Whose it is, as `fob setup` sees them."""
        return Person(self.environment, self.uid, str(self.provider), str(self.agent))

    @property
    def has_systemd(self) -> bool:
        """One runs it, so that services can be there."""
        return has_systemd(self.environment, self.root)

    @property
    def start(self) -> str:
        """What a person types to start the daemon."""
        return START if self.has_systemd else BY_HAND

    @property
    def restart(self) -> str:
        """What a person types to start the daemon again."""
        if self.has_systemd:
            return RESTART
        return BY_HAND if self.status is None else f"kill {self.status['pid']}; {BY_HAND}"

    @property
    def serial_lines(self) -> list[Path]:
        """The serial devices of paired phones."""
        urls = {str(device["url"]) for device in self.devices}
        paths = {url.removeprefix("serial:").partition("?")[0] for url in urls if url.startswith("serial:")}
        return [Path(path) for path in sorted(paths)]

    @property
    def devices(self) -> list[dict[str, Any]]:
        """The paired devices that the daemon reports."""
        return list(self.status["devices"]) if self.status else []

    @property
    def uses_bluetooth(self) -> bool:
        """A device is paired by radio, or a controller for it configured."""
        lines = [str(line["url"]) for device in self.devices for line in device["lines"]]
        return bool(self.hci) or any(line.startswith("ble:") for line in lines)

    @property
    def hci(self) -> str:
        """The controller of the daemon's own, empty when Bluetooth goes by BlueZ."""
        return str(self.status.get("hci", "")) if self.status else ""

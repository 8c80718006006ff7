"""What a check needs, and what it says."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

# No check may hang, whatever it starts.
COMMAND_TIME: Final = 10.0


class Outcome(StrEnum):
    """How a check ends. `skip`: it does not apply here, or cannot be known."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `fix` is a command or a sentence, empty when there is nothing to mend."""

    outcome: Outcome
    subject: str
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine under examination. `status` is the daemon's report, None when it is not reachable."""

    environment: Mapping[str, str]
    uid: int
    root: Path
    control: Path
    provider: Path
    agent: Path
    status: dict[str, Any] | None

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


def output_of(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str | None:
    """What a program prints, None when it is missing, fails or hangs."""
    try:
        done = subprocess.run(  # noqa: S603 - the checks' own commands
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_TIME,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None

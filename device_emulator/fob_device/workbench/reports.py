"""What is on the workbench now; everything in it goes into JSON as it is."""

from dataclasses import dataclass
from typing import Final

from fob_device.workbench.interference import FrameFault
from fob_device.workbench.power import Battery

# Where a computer's name would stand.
NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True)
class LineReport:
    """A connection, counted from its beginning; a port where nobody is has one as well, with `number` None.

    `number` counts a port's connections. `computer` is NOBODY while there is no session. Octets are the port's.
    """

    port: str
    kind: str
    number: int | None = None
    computer: str = NOBODY
    octets_in: int = 0
    octets_out: int = 0
    frames_damaged: int = 0
    frames_lost: int = 0


@dataclass(frozen=True, slots=True)
class PortReport:
    """A port: whether it can be connected to, and its octets per second when it is slowed."""

    url: str
    kind: str
    is_open: bool
    is_away: bool
    octets_per_second: int | None


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Everything. `faults` wait for their frames; frames are counted since the phone's program was started.

    `components`: what is installed of a back office's.
    """

    is_on: bool
    battery: Battery
    clock_shift: float
    ports: tuple[PortReport, ...]
    lines: tuple[LineReport, ...]
    faults: tuple[FrameFault, ...]
    frames_damaged: int
    frames_lost: int
    components: tuple[str, ...] = ()

"""What frames and octets meet between a PC and the phone."""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

from fob_device.workbench.errors import BenchError
from fob_device.workbench.limits import FRAMES_LIMIT
from fob_protocol.link.frames import DELIMITER


class Direction(Enum):
    """As the phone sees it."""

    IN = "in"
    OUT = "out"


class Harm(Enum):
    """What befalls a frame: one octet of it is another one, or it does not arrive."""

    DAMAGE = "damage"
    LOSE = "lose"


@dataclass(frozen=True, slots=True)
class FrameFault:
    """What befalls the next frame in a direction; on a port, by its URL, or on whichever comes first."""

    harm: Harm
    direction: Direction
    port: str | None = None


@dataclass(slots=True)
class FrameFaults:
    """Those that wait for their frame, oldest first, and how many frames were hit already."""

    waiting: list[FrameFault] = field(default_factory=list)
    hit: Counter[Harm] = field(default_factory=Counter)

    def add(self, fault: FrameFault, frames: int) -> None:
        """For so many frames. Raises BenchError when more than FRAMES_LIMIT would wait."""
        if frames < 1 or len(self.waiting) + frames > FRAMES_LIMIT:
            raise BenchError(f"frames: from 1 to {FRAMES_LIMIT}, with those that wait already")
        self.waiting.extend([fault] * frames)

    def take(self, direction: Direction, port: str) -> Harm | None:
        """What befalls a frame that crosses now."""
        for fault in self.waiting:
            if fault.direction is direction and fault.port in (None, port):
                self.waiting.remove(fault)
                self.hit[fault.harm] += 1
                return fault.harm
        return None


@dataclass(slots=True)
class Interference:
    """What one port's lines have to suffer. `rate`: octets per second, None when they take no time."""

    port: str
    frames: FrameFaults
    rate: int | None = None

    def harm(self, direction: Direction) -> Harm | None:
        """What befalls a frame that crosses now."""
        return self.frames.take(direction, self.port)


def damaged(piece: bytes) -> bytes:
    """A piece of a frame with another octet in its middle; a delimiter at its end stays, and there is no new one."""
    place = len(piece.rstrip(DELIMITER)) // 2
    # Zero would end the frame there.
    octet = piece[place] ^ (0x7F if piece[place] == 0xFF else 0xFF)
    return piece[:place] + bytes((octet,)) + piece[place + 1 :]

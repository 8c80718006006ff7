"""Seeded faults of what crosses a line, and ears on it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# A value is hit as a whole as often as so many of its octets.
WHOLE_VALUE: Final = 20


class OctetNoise:
    """Each octet is hit with `rate`: flipped, dropped, doubled, or followed by a stranger. `faults` counts the hits."""

    def __init__(self, rate: float = 0.0, seed: int = 1) -> None:
        self.rate = rate
        self.faults = 0
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """What is hit, and how."""
        self._random = random.Random(seed)

    def damage(self, data: bytes) -> bytes:
        """`data` as it leaves the noisy line."""
        out = bytearray()
        for octet in data:
            if self._random.random() >= self.rate:
                out.append(octet)
                continue
            self.faults += 1
            out += self._hit(octet)
        return bytes(out)

    def _hit(self, octet: int) -> bytes:
        match self._random.randrange(4):
            case 0:
                return bytes((octet ^ 1 << self._random.randrange(8),))
            case 1:
                return b""
            case 2:
                return bytes((octet, octet))
        return bytes((octet, self._random.randrange(256)))


class Noise(OctetNoise):
    """A line's faults. While there is `silence` nothing sets out."""

    def __init__(self, rate: float = 0.0, seed: int = 1) -> None:
        super().__init__(rate, seed)
        self.silence = False
        self._swallows = b""

    def swallow(self, octets: bytes) -> None:
        """The next piece with these octets in it does not arrive."""
        self._swallows = octets

    def __call__(self, data: bytes) -> bytes:
        """What arrives of `data`."""
        if self.silence:
            return b""
        if self._swallows and self._swallows in data:
            self._swallows = b""
            return b""
        return self.damage(data) if self.rate else data


class ValueNoise(Noise):
    """A radio's faults: beside octets, whole values are lost, doubled and cut short."""

    def damage(self, data: bytes) -> bytes:
        """`data` as it leaves the noisy air."""
        if data and self._random.random() < self.rate * WHOLE_VALUE:
            self.faults += 1
            data = self._hit_value(data)
        return super().damage(data)

    def _hit_value(self, value: bytes) -> bytes:
        match self._random.randrange(3):
            case 0:
                return b""
            case 1:
                return value + value
        return value[: self._random.randrange(len(value))]


@dataclass(frozen=True, slots=True)
class Tap:
    """Hears what is written on a line: `down` to the device, `up` to the PC, each piece before it arrives."""

    down: Callable[[bytes], None]
    up: Callable[[bytes], None]

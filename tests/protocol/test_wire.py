"""The in-memory line of these tests does what it says: a test over a line that damages nothing would prove nothing."""

from dataclasses import dataclass, field

import pytest

from support.noise import OctetNoise
from support.wire import Direction, Wire


@dataclass
class Talker:
    """An end that says what it is told to at its times, and keeps what it hears with the time."""

    says: list[tuple[float, bytes]] = field(default_factory=list)
    heard: list[tuple[float, bytes]] = field(default_factory=list)

    def receive(self, octets: bytes, now: float) -> None:
        """Keep it."""
        self.heard.append((now, octets))

    def due(self, now: float) -> bytes:
        """What its time has come for."""
        ready = b"".join(text for at, text in self.says if at <= now)
        self.says = [(at, text) for at, text in self.says if at > now]
        return ready

    def next_timer(self) -> float | None:
        """When it speaks next."""
        return min((at for at, _ in self.says), default=None)


def heard(*said: tuple[float, bytes], direction: Direction) -> list[tuple[float, bytes]]:
    """What the device hears of what the PC says."""
    device = Talker()
    Wire(Talker(list(said)), device, to_device=direction).run_for(100.0)
    return device.heard


def test_whole_and_at_once() -> None:
    assert heard((0.0, b"abc"), (1.0, b"d"), direction=Direction()) == [(0.0, b"abc"), (1.0, b"d")]


def test_late() -> None:
    assert heard((1.0, b"abc"), direction=Direction(0.5)) == [(1.5, b"abc")]


def test_one_octet_at_a_time() -> None:
    assert heard((0.0, b"abc"), direction=Direction(octet_by_octet=True)) == [(0.0, b"a"), (0.0, b"b"), (0.0, b"c")]


def test_at_a_rate() -> None:
    slow = Direction(1.0, rate=2.0, octet_by_octet=True)
    assert heard((0.0, b"ab"), (0.0, b"c"), (9.0, b"d"), direction=slow) == [
        (1.5, b"a"),
        (2.0, b"b"),
        (2.5, b"c"),
        (10.5, b"d"),
    ]


def test_cut_and_mended() -> None:
    pc, device = Talker([(0.0, b"lost on its way"), (2.0, b"lost"), (4.0, b"heard")]), Talker()
    wire = Wire(pc, device, to_device=Direction(1.0))
    wire.run_for(0.5)
    wire.cut()
    wire.run_for(2.5)
    wire.mend()
    wire.run_for(5.0)
    assert device.heard == [(5.0, b"heard")]
    assert wire.to_device.written == len(b"lost on its wayLostheard")


def test_noise_flips_drops_doubles_and_inserts_and_counts_it() -> None:
    text = b"\0" * 100_000
    noise = OctetNoise(0.01, 1)
    damaged = noise.damage(text)
    flips = damaged.count(b"\x01") + sum(damaged.count(bytes([1 << bit])) for bit in range(1, 8))
    assert 900 < noise.faults < 1_100
    assert 200 < flips < 300
    assert abs(len(damaged) - len(text) - noise.faults // 4) < 100  # a quarter is lost, a quarter doubled, one inserted


def test_noise_is_the_same_for_the_same_seed_and_silent_at_rate_0() -> None:
    text = bytes(10_000)
    assert OctetNoise(0.01, 1).damage(text) == OctetNoise(0.01, 1).damage(text) != OctetNoise(0.01, 2).damage(text)
    assert OctetNoise(0.0, 1).damage(text) == text


def test_waiting_in_vain_is_told() -> None:
    wire = Wire(Talker([(5.0, b"a")]), Talker())
    with pytest.raises(AssertionError, match=r"not done within 2.0 s"):
        wire.run_until(lambda: False, within=2.0)
    with pytest.raises(AssertionError, match="next is None"):
        wire.run_until(lambda: False, within=20.0)

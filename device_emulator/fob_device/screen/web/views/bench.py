"""The panel of the workbench."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fob_device.screen.web.words import duration
from fob_device.workbench.interference import FrameFault
from fob_device.workbench.reports import NOBODY, BenchReport, LineReport, PortReport

_KINDS: Final = {"ble": "Radio", "pty": "Cable", "serial": "Cable", "tcp": "TCP"}


@dataclass(frozen=True, slots=True)
class LineItem:
    """A port with whoever is connected over it."""

    icon: str
    title: str
    words: str
    octets: str
    is_connected: bool


@dataclass(frozen=True, slots=True)
class BenchView:
    """`rate`: octets per second where all lines are slowed alike, or nothing; the words say what waits or is wrong."""

    is_on: bool
    lines: Sequence[LineItem]
    battery: int
    is_charging: bool
    shift: int
    shift_words: str
    rate: int | None
    faults_words: str
    components: Sequence[str]
    notice: str


def bench_view(report: BenchReport, notice: str = "") -> BenchView:
    """`notice`: what the workbench could not do."""
    ports = {port.url: port for port in report.ports}
    rates = {port.octets_per_second for port in report.ports}
    return BenchView(
        is_on=report.is_on,
        lines=[_line(line, ports[line.port]) for line in report.lines],
        battery=report.battery.percent,
        is_charging=report.battery.is_charging,
        shift=int(report.clock_shift),
        shift_words=_shift(report.clock_shift),
        rate=rates.pop() if len(rates) == 1 else None,
        faults_words=_faults(report.faults, report.frames_damaged, report.frames_lost),
        components=report.components,
        notice=notice,
    )


def _line(line: LineReport, port: PortReport) -> LineItem:
    kind = _KINDS.get(line.kind, line.kind)
    if line.computer != NOBODY:
        words = f"connected to {line.computer}"
    elif line.number is not None:
        words = "somebody is there, without a session"
    else:
        words = "out of reach" if port.is_away else "nobody" if port.is_open else "closed"
    slowed = f", {port.octets_per_second} octets/s" if port.octets_per_second else ""
    return LineItem(
        icon="radio" if line.kind == "ble" else "cable",
        title=kind,
        words=words + slowed,
        octets=f"{line.octets_in} in, {line.octets_out} out",
        is_connected=line.computer != NOBODY,
    )


def _shift(seconds: float) -> str:
    if not seconds:
        return "Right."
    return f"{duration(abs(seconds))} {'ahead' if seconds > 0 else 'behind'}."


def _faults(waiting: Sequence[FrameFault], damaged: int, lost: int) -> str:
    done = f"{damaged} damaged, {lost} lost so far."
    return f"{len(waiting)} still to hit; {done}" if waiting else done

"""`fob-device bench`: the workbench of a phone that runs, for scripts."""

import json
import math
from pathlib import Path
from typing import Any, Final

import click

from fob_device.errors import told
from fob_device.workbench.control import ask
from fob_device.workbench.interference import Direction
from fob_device.workbench.requests import WAIT_LIMIT

FULL_SPEED: Final = "off"
_COLUMNS: Final = ("port", "number", "computer", "octets_in", "octets_out", "frames_damaged", "frames_lost")
_HEADINGS: Final = ("port", "line", "computer", "octets in", "octets out", "damaged", "lost")


def seconds_of(text: str) -> float:
    """What somebody types for a time. Raises ValueError."""
    seconds = float(text)
    if not math.isfinite(seconds):
        raise ValueError(text)
    return seconds


_port = click.option("--port", metavar="URL", help="One port, as it was given to run; without it all of them.")


_frames = click.option("--frames", metavar="N", type=int, default=1, show_default=True, help="How many.")
_direction = click.argument("direction", type=click.Choice([direction.value for direction in Direction]))


@click.group()
@click.option("--state", type=click.Path(path_type=Path), required=True, help="Folder of a phone that runs.")
@click.pass_context
def bench(context: click.Context, state: Path) -> None:
    """Do to a running phone what happens to phones: drop, lose, slow, damage, no power, a wrong clock."""
    context.obj = state


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="Everything there is, as one JSON object.")
@click.pass_obj
def lines(state: Path, as_json: bool) -> None:
    """Show what is connected."""
    report = _ask(state, do="report")["report"]
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    battery = report["battery"]
    click.echo(
        f"phone {'on' if report['is_on'] else 'off'}, battery {battery['percent']} %"
        f"{' charging' if battery['is_charging'] else ''}, clock {report['clock_shift']:+g} s,"
        f" {len(report['faults'])} faults wait"
    )
    for row in (_HEADINGS, *([_cell(line[column]) for column in _COLUMNS] for line in report["lines"])):
        click.echo("\t".join(row))


@bench.command()
@_port
@click.option("--line", metavar="N", type=int, help="One of the port's lines, by its number.")
@click.pass_obj
def drop(state: Path, port: str | None, line: int | None) -> None:
    """Hang up; the computer may connect again at once."""
    dropped = _ask(state, do="drop", port=port, line=line)["dropped"]
    click.echo(f"lines that hung up: {dropped}")


@bench.command()
@click.argument("seconds", type=seconds_of)
@_port
@click.pass_obj
def away(state: Path, seconds: float, port: str | None) -> None:
    """Keep the phone out of reach for SECONDS."""
    _ask(state, do="away", seconds=seconds, port=port)


@bench.command()
@click.argument("seconds", type=seconds_of)
@click.pass_obj
def power(state: Path, seconds: float) -> None:
    """Cut the power for SECONDS."""
    _ask(state, do="power", seconds=seconds)


@bench.command()
@click.argument("rate")
@_port
@click.pass_obj
def slow(state: Path, rate: str, port: str | None) -> None:
    """Let lines carry RATE octets per second in each direction; `off`: as fast as they can."""
    _ask(state, do="slow", rate=None if rate == FULL_SPEED else _number(rate), port=port)


@bench.command()
@_direction
@_frames
@_port
@click.pass_obj
def damage(state: Path, direction: str, frames: int, port: str | None) -> None:
    """Damage one octet of the next frame that comes in to the phone, or goes out."""
    _ask(state, do="damage", direction=direction, frames=frames, port=port)


@bench.command()
@_direction
@_frames
@_port
@click.pass_obj
def lose(state: Path, direction: str, frames: int, port: str | None) -> None:
    """Lose the next frame that comes in to the phone, or goes out."""
    _ask(state, do="lose", direction=direction, frames=frames, port=port)


@bench.command()
@click.argument("component")
@click.pass_obj
def spoil(state: Path, component: str) -> None:
    """Damage one octet of what is stored of COMPONENT; the next start finds it."""
    _ask(state, do="spoil", component=component)


@bench.command(context_settings={"ignore_unknown_options": True})
@click.argument("shift", type=seconds_of, metavar="SECONDS")
@click.pass_obj
def clock(state: Path, shift: float) -> None:
    """Set the phone's wall clock so far ahead of this machine's: +3600, -3600; 0 sets it right."""
    _ask(state, do="clock", shift=shift)


@bench.command()
@click.argument("percent", type=int)
@click.option("--charging", is_flag=True, help="A charger is plugged in.")
@click.pass_obj
def battery(state: Path, percent: int, charging: bool) -> None:
    """Set the battery to PERCENT; with 0 the phone is off until there is more."""
    _ask(state, do="battery", percent=percent, charging=charging)


@bench.command()
@click.pass_obj
def calm(state: Path) -> None:
    """Full speed, and no fault waits any more."""
    _ask(state, do="calm")


@bench.command()
@click.argument("seconds", type=click.FloatRange(0, WAIT_LIMIT))
@click.pass_obj
def wait(state: Path, seconds: float) -> None:
    """Wait up to SECONDS until the phone is on and every port can be connected to."""
    _ask(state, do="wait", seconds=seconds)


def _ask(state: Path, **request: Any) -> dict[str, Any]:
    with told():
        return ask(state, request)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise click.BadParameter(f"octets per second, or '{FULL_SPEED}'", param_hint="RATE") from None


def _cell(value: object) -> str:
    return "-" if value is None else str(value)

"""What may be asked for on the workbench's control channel (docs/device.md), and what each request does.

A request is an object with `do`; `{"ok": true, ...}` answers it, or `{"ok": false, "error": "words"}`.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from fob_device.workbench.errors import BenchError
from fob_device.workbench.interference import Direction
from fob_device.workbench.workbench import Workbench

# Seconds for which a client waits until the phone is there again.
WAIT_LIMIT: Final = 600

Url = Annotated[str, Meta(min_length=1, max_length=1024)]


class Request(Struct, tag_field="do", forbid_unknown_fields=True):
    """One of the classes below."""


class Report(Request, tag="report"):
    """Everything on the workbench."""


class Drop(Request, tag="drop"):
    """Lines hang up."""

    port: Url | None = None
    line: int | None = None


class Away(Request, tag="away"):
    """Out of reach."""

    seconds: float
    port: Url | None = None


class Power(Request, tag="power"):
    """The power is cut."""

    seconds: float


class Slow(Request, tag="slow"):
    """Octets per second; null: at full speed."""

    rate: int | None
    port: Url | None = None


class Damage(Request, tag="damage"):
    """An octet of frames becomes another one."""

    direction: Direction
    frames: int = 1
    port: Url | None = None


class Lose(Request, tag="lose"):
    """Frames do not arrive."""

    direction: Direction
    frames: int = 1
    port: Url | None = None


class Spoil(Request, tag="spoil"):
    """An octet of what is stored of it is another one."""

    component: Annotated[str, Meta(min_length=1, max_length=64)]


class Clock(Request, tag="clock"):
    """How far the phone's wall clock is ahead."""

    shift: float


class BatteryIs(Request, tag="battery"):
    """How full it is."""

    percent: int
    charging: bool = False


class Calm(Request, tag="calm"):
    """No more faults."""


class Wait(Request, tag="wait"):
    """Until the phone is on and every port open."""

    seconds: Annotated[float, Meta(ge=0, le=WAIT_LIMIT)]


_DECODER: Final = msgspec.json.Decoder(
    Report | Drop | Away | Power | Slow | Damage | Lose | Spoil | Clock | BatteryIs | Calm | Wait
)


async def answer(bench: Workbench, line: bytes) -> Mapping[str, Any]:
    """Do what a line asks."""
    try:
        request = _DECODER.decode(line)
        told = await _wait(bench, request) if isinstance(request, Wait) else _do(bench, request)
    except (BenchError, msgspec.DecodeError, TimeoutError) as error:
        return {"ok": False, "error": str(error)}
    return {"ok": True, **told}


def _do(bench: Workbench, request: Request) -> Mapping[str, Any]:
    """Raises BenchError."""
    match request:
        case Report():
            return {"report": msgspec.to_builtins(bench.report())}
        case Drop(port, line):
            return {"dropped": bench.drop(port, line)}
        case Power(seconds):
            bench.cut_power(seconds)
        case Clock(shift):
            bench.shift_clock(shift)
        case Spoil(component):
            bench.spoil(component)
        case BatteryIs(percent, charging):
            bench.set_battery(percent, charging)
        case _:
            _disturb(bench, request)
    return {}


def _disturb(bench: Workbench, request: Request) -> None:
    """What is done to lines. Raises BenchError."""
    match request:
        case Away(seconds, port):
            bench.keep_away(seconds, port)
        case Slow(rate, port):
            bench.slow(rate, port)
        case Damage(direction, frames, port):
            bench.damage(direction, frames, port)
        case Lose(direction, frames, port):
            bench.lose(direction, frames, port)
        case Calm():
            bench.calm()


async def _wait(bench: Workbench, request: Wait) -> Mapping[str, Any]:
    """Raises TimeoutError."""
    try:
        async with asyncio.timeout(request.seconds):
            await bench.opened()
    except TimeoutError:
        raise TimeoutError(f"the phone was not back within {request.seconds:g} s") from None
    return {}

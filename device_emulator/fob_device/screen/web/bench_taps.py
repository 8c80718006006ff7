"""What the test engineer does on the panel beside the phone. It needs no unlocking: it is not the phone."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from fob_device.screen.web.forms import one_of
from fob_device.workbench.errors import BenchError
from fob_device.workbench.interference import Direction
from fob_device.workbench.workbench import Workbench

Fields = Mapping[str, str]

# Longer than any number within the workbench's bounds.
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}")

_DIRECTIONS: Final = {"to phone": Direction.IN, "from phone": Direction.OUT}
DIRECTIONS: Final = tuple(_DIRECTIONS)


def is_of_bench(path: str) -> bool:
    """Whether a form is the workbench's."""
    return path in _TAPS


def tap_bench(bench: Workbench, path: str, fields: Fields) -> None:
    """Do what a form asks. Raises BenchError, FormError."""
    _TAPS[path](bench, fields)


def _drop(bench: Workbench, fields: Fields) -> None:
    bench.drop()


def _away(bench: Workbench, fields: Fields) -> None:
    bench.keep_away(_number(fields, "seconds"))


def _power(bench: Workbench, fields: Fields) -> None:
    bench.cut_power(_number(fields, "seconds"))


def _slow(bench: Workbench, fields: Fields) -> None:
    bench.slow(_number(fields, "rate"))


def _damage(bench: Workbench, fields: Fields) -> None:
    bench.damage(_direction(fields), _number(fields, "frames"))


def _spoil(bench: Workbench, fields: Fields) -> None:
    bench.spoil(fields.get("component", ""))


def _lose(bench: Workbench, fields: Fields) -> None:
    bench.lose(_direction(fields), _number(fields, "frames"))


def _calm(bench: Workbench, fields: Fields) -> None:
    bench.calm()


def _clock(bench: Workbench, fields: Fields) -> None:
    bench.shift_clock(_number(fields, "seconds"))


def _battery(bench: Workbench, fields: Fields) -> None:
    bench.set_battery(_number(fields, "percent"), "charging" in fields)


_TAPS: Final[Mapping[str, Callable[[Workbench, Fields], None]]] = {
    "workbench/drop": _drop,
    "workbench/away": _away,
    "workbench/power": _power,
    "workbench/slow": _slow,
    "workbench/damage": _damage,
    "workbench/lose": _lose,
    "workbench/spoil": _spoil,
    "workbench/calm": _calm,
    "workbench/clock": _clock,
    "workbench/battery": _battery,
}


def _number(fields: Fields, name: str) -> int:
    value = fields.get(name, "")
    if not _NUMBER.fullmatch(value):
        raise BenchError(f"{name} is a whole number")
    return int(value)


def _direction(fields: Fields) -> Direction:
    return _DIRECTIONS[one_of(fields, "direction", DIRECTIONS)]

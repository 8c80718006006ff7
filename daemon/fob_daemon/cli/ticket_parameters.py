"""How old a ticket may be, and of which program, as people say it."""

import re
from typing import Final

import click

from fob_protocol.office.message import Version

_AGE: Final = re.compile(r"(\d{1,9})(s|min|h|d)")
_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
_LEAST: Final = re.compile(r"([^<>=]{1,32}?)(?:>=(\d{1,3}\.\d{1,3}\.\d{1,3}))?")
_VERSION_MOST: Final = 255


class Age(click.ParamType[int]):
    """A time as people say it, in seconds."""

    name = "time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Called by click. Raises click.BadParameter."""
        found = _AGE.fullmatch(value)
        if found is None:
            self.fail("it has to be a number with s, min, h or d behind it, as 12h", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


class LeastVersion(click.ParamType[tuple[str, Version]]):
    """`NAME>=1.2.0`, or `NAME` for any version."""

    name = "program"

    def convert(
        self, value: str | tuple[str, Version], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Version]:
        """Called by click. Raises click.BadParameter."""
        if isinstance(value, tuple):
            return value
        found = _LEAST.fullmatch(value)
        version = tuple(map(int, (found[2] or "0.0.0").split("."))) if found else ()
        if found is None or len(version) != 3 or max(version) > _VERSION_MOST:
            self.fail("it has to be a name and a least version, as calculator>=1.3.0", param, ctx)
        return found[1], (version[0], version[1], version[2])


AGE: Final = Age()
LEAST_VERSION: Final = LeastVersion()

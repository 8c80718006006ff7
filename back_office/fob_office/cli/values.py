"""What options and arguments take, and how it is read."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_TIMES: Final = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def octets(size: int) -> Callable[[click.Context, click.Parameter, str | None], bytes | None]:
    """A callback of what takes so many octets in hexadecimal."""
    pattern = re.compile(rf"[0-9a-f]{{{2 * size}}}", re.IGNORECASE)

    def read(_: click.Context, __: click.Parameter, told: str | None) -> bytes | None:
        if told is not None and pattern.fullmatch(told) is None:
            raise click.BadParameter(f"{2 * size} hexadecimal digits are due")
        return bytes.fromhex(told) if told is not None else None

    return read


def since_option(words: str) -> Callable[[Command], Command]:
    """`--since`, in seconds since 1970; `words` for its help."""
    return click.option("--since", type=click.DateTime(_TIMES), callback=_seconds, help=f"{words} since then (UTC).")


def _seconds(_: click.Context, __: click.Parameter, since: datetime | None) -> int | None:
    return int(since.replace(tzinfo=UTC).timestamp()) if since is not None else None

"""Whom a command is about: a person by name or code, at a server."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
from sqlalchemy.orm import Session

from fob_office.founding import FIRST_SERVERS
from fob_office.registration.operating import holder, registration
from fob_office.registration.tables import Registration

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT: Final = FIRST_SERVERS[0].name
_CODE: Final = re.compile(r"[0-9a-f]{32}")


def who_argument(command: Command) -> Command:
    """`WHO`, and `--server` beside it."""
    return click.argument("who")(server_option(command))


def server_option(command: Command) -> Command:
    """`--server`."""
    return click.option(
        "--server", default=DEFAULT, show_default=True, help="Where they are registered."
    )(command)  # fmt: skip


def find(session: Session, server: str, who: str) -> Registration:
    """By user identification code (what looks like one is one), or by name. Raises NotFoundError."""
    if _CODE.fullmatch(who):
        return registration(session, bytes.fromhex(who))
    return holder(session, server, who)

"""`fob-office entitlement`: what people may do."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.who import find, who_argument
from fob_office.entitlements.changing import Change, Entitling
from fob_office.entitlements.levels import check_levels
from fob_office.entitlements.views import EntitlementView, entitlement_view, entitlement_views
from fob_office.paging import PAGE
from fob_office.registration.operating import check_server

_COMPUTER: Final = re.compile(r"[0-9a-f]{64}")
_LEVEL: Final = re.compile(r"([^=]+)=([0-9]{1,3})")
HIGHEST: Final = 255


@click.group()
def entitlement() -> None:
    """Entitlements: they hold from the next request on. WHO is a name or a code."""


@entitlement.command("list")
@state_option
@json_option
@click.option("--server", help="Only those there.")
@click.option("--after", default="", help="A code; those behind it.")
@pass_cli
def list_(cli: Cli, state: Path, server: str | None, after: str) -> None:
    """By code, a hundred at a time."""
    try:
        last = bytes.fromhex(after)
    except ValueError:
        raise click.UsageError("--after takes a code: 32 hexadecimal digits") from None
    with cli.office(state) as office, office.database.read() as session:
        if server is not None:
            check_server(session, server)
        views = entitlement_views(session, server=server, after=last, count=PAGE)
    cli.table([_shown(cli, view) for view in views])


@entitlement.command()
@state_option
@json_option
@who_argument
@pass_cli
def show(cli: Cli, state: Path, who: str, server: str) -> None:
    """What one may do."""
    with cli.office(state) as office, office.database.read() as session:
        cli.fields(_shown(cli, entitlement_view(session, find(session, server, who).user_code)))


@entitlement.command("set")
@state_option
@who_argument
@click.argument("levels", nargs=-1, metavar="[APPLICATION=LEVEL]...")
@click.option("--add", multiple=True, metavar="COMPONENT", help="An option that comes; several.")
@click.option("--remove", multiple=True, metavar="COMPONENT", help="An option that goes; several.")
@pass_cli
def set_(
    cli: Cli, state: Path, who: str, server: str, levels: tuple[str, ...], add: tuple[str, ...], remove: tuple[str, ...]
) -> None:
    """Levels up and down (0 takes an application away), options in and out."""
    change = Change(dict(map(_level, levels)), add, remove)
    if not levels and not add and not remove:
        raise click.UsageError("say what is to change")
    check_levels(change.applications)
    _do(cli, state, server, who, lambda entitling, code: entitling.change(code, change))


@entitlement.command()
@state_option
@who_argument
@click.option("--computer", "computers", multiple=True, help="Where it holds: H of its public key; several.")
@click.option("--any", "anywhere", is_flag=True, help="It holds at any computer.")
@pass_cli
def move(cli: Cli, state: Path, who: str, server: str, computers: tuple[str, ...], anywhere: bool) -> None:
    """To other computers, and away from all the rest."""
    if anywhere == bool(computers):
        raise click.UsageError("say --computer or --any")
    if wrong := [computer for computer in computers if not _COMPUTER.fullmatch(computer)]:
        raise click.UsageError(f"'{wrong[0]}' is no computer: 64 hexadecimal digits are")
    to = [bytes.fromhex(computer) for computer in computers]
    _do(cli, state, server, who, lambda entitling, code: entitling.move(code, to))


@entitlement.command()
@state_option
@who_argument
@pass_cli
def revoke(cli: Cli, state: Path, who: str, server: str) -> None:
    """Nothing more may be done, until `restore`."""
    _do(cli, state, server, who, lambda entitling, code: entitling.revoke(code))


@entitlement.command()
@state_option
@who_argument
@pass_cli
def restore(cli: Cli, state: Path, who: str, server: str) -> None:
    """As it was before `revoke`."""
    _do(cli, state, server, who, lambda entitling, code: entitling.restore(code))


def _do(cli: Cli, state: Path, server: str, who: str, change: Callable[[Entitling, bytes], int]) -> None:
    with cli.office(state) as office:
        with office.database.read() as session:
            code = find(session, server, who).user_code
        version = change(Entitling(office), code)
    cli.say(f"{who} has version {version}")


def _level(text: str) -> tuple[str, int]:
    parts = _LEVEL.fullmatch(text)
    if parts is None or int(parts[2]) > HIGHEST:
        raise click.UsageError(f"'{text}' is no APPLICATION=LEVEL; a level is 0 to {HIGHEST}")
    return parts[1], int(parts[2])


def _shown(cli: Cli, view: EntitlementView) -> dict[str, object]:
    shown: dict[str, object] = view.model_dump()
    if not cli.is_json:
        shown["applications"] = [f"{name}={level}" for name, level in view.applications.items()]
    return shown

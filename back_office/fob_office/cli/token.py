"""`fob-office token`: who may ask over HTTP."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.operators.service import list_tokens, make_token, revoke_token


@click.group()
def token() -> None:
    """Tokens of operators, for the HTTP API."""


@token.command()
@state_option
@click.option("--read-only", is_flag=True, help="It may read, and change nothing.")
@click.argument("name")
@pass_cli
def add(cli: Cli, state: Path, name: str, read_only: bool) -> None:
    """Make a token and print it; it is shown this once."""
    with cli.office(state) as office:
        cli.line(make_token(office, name, may_change=not read_only))


@token.command("list")
@state_option
@json_option
@pass_cli
def list_(cli: Cli, state: Path) -> None:
    """Names of tokens."""
    with cli.office(state) as office, office.database.read() as session:
        cli.table([
            {"name": row.name, "may_change": row.may_change, "created": row.created} for row in list_tokens(session)
        ])  # fmt: skip


@token.command()
@state_option
@click.argument("name")
@pass_cli
def revoke(cli: Cli, state: Path, name: str) -> None:
    """From now on a token opens nothing."""
    with cli.office(state) as office:
        revoke_token(office, name)
    cli.say(f"revoked '{name}'")

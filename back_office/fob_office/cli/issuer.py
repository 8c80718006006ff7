"""`fob-office issuer`: the key that devices trust, and the list of what it no longer stands for."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, issuer_key_option, json_option, pass_cli, state_option
from fob_office.issuer.lists import LIST_DAYS, latest_list
from fob_office.issuer.service import issuer_public_key


@click.group()
def issuer() -> None:
    """The issuer: its public key, and its revocation list."""


@issuer.command()
@state_option
@json_option
@pass_cli
def show(cli: Cli, state: Path) -> None:
    """The public key, which devices are made with, and the list that is given out."""
    with cli.office(state) as office, office.database.read() as session:
        newest = latest_list(session)
        cli.fields({
            "public_key": issuer_public_key(session).hex(),
            "list": newest.number, "issued": newest.issued, "until": newest.until,
        })  # fmt: skip


@issuer.command("renew-list")
@state_option
@issuer_key_option
@click.option("--days", type=click.IntRange(1, 4000), default=LIST_DAYS, show_default=True)
@pass_cli
def renew_list(cli: Cli, state: Path, issuer_key: Path | None, days: int) -> None:
    """Sign a revocation list that says the same for longer."""
    with cli.issuing(state, issuer_key) as issuing:
        cli.say(f"signed list {issuing.renew_list(days=days).number}, for {days} days")

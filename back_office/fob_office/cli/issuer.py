"""`fob-office issuer`: the key that devices trust, and the list of what it no longer stands for."""

from pathlib import Path
from typing import Final

import click

from fob_office.cli.context import Cli, issuer_key_option, json_option, pass_cli, state_option
from fob_office.issuer.kept import take_up
from fob_office.issuer.lists import LIST_DAYS, latest_list
from fob_office.issuer.service import issuer_public_key

# Devices count as far; nobody gets there by one.
_HIGHEST: Final = 2**31


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
@click.option(
    "--at-least", type=click.IntRange(1, _HIGHEST), default=1, metavar="NUMBER",
    help="Of this number or the next one: above what devices have heard, after a restore.",
)  # fmt: skip
@pass_cli
def renew_list(cli: Cli, state: Path, issuer_key: Path | None, days: int, at_least: int) -> None:
    """Sign a revocation list that says the same for longer."""
    with cli.issuing(state, issuer_key) as issuing:
        cli.say(f"signed list {issuing.renew_list(days=days, at_least=at_least).number}, for {days} days")


@issuer.command("take-directory")
@state_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_cli
def take_directory(cli: Cli, state: Path, file: Path) -> None:
    """Take up what this issuer has signed since the backup that the office was put back to.

    FILE is of `server directory`, or `directory.signed` of a state folder.
    """
    with cli.office(state) as office:
        taken = take_up(office, file, "operator")
        cli.keep(office)
        if taken is None:
            cli.say("it says nothing that is not known here")
        else:
            cli.say_taken(taken)
        cli.say_unsaid(office)

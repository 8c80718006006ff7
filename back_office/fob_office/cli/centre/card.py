"""`fob-office centre card`: what the emulated payment provider has of mailers, and whom it refuses."""

from functools import partial
from pathlib import Path

import click

from fob_office.centre.commands.payment import Carded
from fob_office.centre.operating.cards import set_card, show_card
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_protocol.metering.limits import AMOUNT_LIMIT


@click.group()
def card() -> None:
    """Cards of play money, at the emulated payment provider. Amounts in the value kind's least unit."""


@card.command()
@state_option
@json_option
@click.argument("serial")
@pass_cli
def show(cli: Cli, state: Path, serial: str) -> None:
    """The card by which the mailer of a meter pays."""
    found = ask(cli, state, f"the card of {serial} is not known", partial(show_card, serial=serial))
    cli.fields(_fields(found))


@card.command("set")
@state_option
@json_option
@click.option("--balance", type=click.IntRange(0, AMOUNT_LIMIT), help="What it has from now on.")
@click.option("--refuse/--accept", "is_refused", default=None, help="Whether nothing goes in or out of it.")
@click.argument("serial")
@pass_cli
def set_(cli: Cli, state: Path, serial: str, balance: int | None, is_refused: bool | None) -> None:
    """What it has, and whether it is refused: so that refusals can be tried."""
    if balance is None and is_refused is None:
        raise click.UsageError("say what changes")
    change = partial(set_card, serial=serial, balance=balance, is_refused=is_refused)
    cli.fields(_fields(ask(cli, state, f"the card of {serial} was not changed", change)))


def _fields(found: Carded) -> dict[str, object]:
    return {
        "balance": found.balance, "refused": found.is_refused, "charged": found.charged,
        "paid_back": found.paid_back, "payments": found.payments,
    }  # fmt: skip

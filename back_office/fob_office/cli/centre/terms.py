"""`fob-office centre terms`: what a meter costs (M30)."""

from pathlib import Path

import click

from fob_office.centre.operating import changing
from fob_office.centre.operating.changing import Terms
from fob_office.centre.operating.operator import Operator
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_protocol.metering.limits import AMOUNT_LIMIT


@click.command()
@state_option
@json_option
@click.option("--deposit", type=click.IntRange(0, AMOUNT_LIMIT), help="The least that is loaded at once, from now on.")
@click.option("--fee", type=click.IntRange(0, AMOUNT_LIMIT), help="What signing up costs, from now on.")
@pass_cli
def terms(cli: Cli, /, state: Path, deposit: int | None, fee: int | None) -> None:
    """Show what is loaded at least and what signing up costs, or change it; function servers start anew.

    Whoever has signed up pays what he was told then, with his first payment.
    """

    async def work(operator: Operator) -> Terms:
        now = changing.terms(operator)
        if deposit is None and fee is None:
            return now
        now = Terms(now.deposit if deposit is None else deposit, now.fee if fee is None else fee)
        await changing.set_terms(operator, now)
        return now

    now = ask(cli, state, "the terms were not changed", work)
    cli.fields({"deposit": now.deposit, "fee": now.fee})

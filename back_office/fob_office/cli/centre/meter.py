"""`fob-office centre meter`: the meters of mailers (M31)."""

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from msgspec.structs import replace

from fob_office.centre.next_step import STATUS, split_next
from fob_office.centre.operating import meters
from fob_office.centre.operating.operator import Operator
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.errors import OperatorError
from fob_office.paging import PAGE
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import AMOUNT_LIMIT
from fob_protocol.metering.records import MeterRecord

_AMOUNT: Final = click.IntRange(1, AMOUNT_LIMIT)


@click.group()
def meter() -> None:
    """Meters: what they have counted, and what an operator wants of one. Amounts in the value kind's least unit."""


@meter.command("list")
@state_option
@json_option
@click.option("--after", default="", help="The last serial that is known.")
@click.option("--count", type=click.IntRange(1, PAGE), default=PAGE, show_default=True, help="At most so many.")
@pass_cli
def list_(cli: Cli, state: Path, after: str, count: int) -> None:
    """All meters, as they stand in the database."""
    found = ask(cli, state, "the meters are not known", lambda operator: meters.list_meters(operator, after, count))
    # The row's serial: the next page begins above it.
    cli.table([_row(record) | {"serial": serial} for serial, record in found])


@meter.command()
@state_option
@json_option
@click.argument("serial")
@pass_cli
def show(cli: Cli, state: Path, serial: str) -> None:
    """One meter and its mailer; `checked` is what its meter box, the `owner`, says of the record."""
    shown = ask(cli, state, f"meter {serial} is not known", lambda operator: meters.show_meter(operator, serial))
    record, user = shown.meter, shown.user
    limits = record.limits
    second = shown.second if shown.second is not None or cli.is_json else "none"
    cli.fields(
        _row(record)
        | {
            "loads": record.registers.loads, "freshness": record.freshness.kind.name.lower(),
            "most_for_a_piece": limits.piece, "most_for_a_day": limits.daily, "credit": limits.credit,
            "name": user.name, "payment": user.payment.name.lower(), "origins": list(user.origins),
            "owner": shown.owner, "second": second, "checked": shown.checked,
        }
    )  # fmt: skip


@meter.command()
@state_option
@click.argument("serial")
@pass_cli
def stop(cli: Cli, state: Path, serial: str) -> None:
    """It takes no money and gives nothing, until `resume`."""
    _order(cli, state, serial, Deed.STOP, "stopped", "is stopped already")


@meter.command()
@state_option
@click.argument("serial")
@pass_cli
def resume(cli: Cli, state: Path, serial: str) -> None:
    """It gives postage again."""
    _order(cli, state, serial, Deed.RESUME, "resumed", "is active already")


@meter.command()
@state_option
@click.argument("serial")
@pass_cli
def withdraw(cli: Cli, state: Path, serial: str) -> None:
    """For ever: it gives refunds alone."""
    _order(cli, state, serial, Deed.WITHDRAW, "withdrawn", "is withdrawn already")


@meter.command()
@state_option
@click.option("--most-for-a-piece", "piece", type=_AMOUNT)
@click.option("--most-for-a-day", "daily", type=_AMOUNT)
@click.option("--credit", type=click.IntRange(0, AMOUNT_LIMIT), help="How much may be owed.")
@click.argument("serial")
@pass_cli
def limits(cli: Cli, state: Path, serial: str, piece: int | None, daily: int | None, credit: int | None) -> None:
    """Other limits; what is not said stays."""
    said = {"piece": piece, "daily": daily, "credit": credit}
    changes = {name: value for name, value in said.items() if value is not None}
    if not changes:
        raise click.UsageError("say what changes")

    async def change(operator: Operator) -> bool:
        now = await meters.limits_of(operator, serial)
        return await meters.order(operator, serial, Deed.CHANGE, replace(now, **changes))

    _change(cli, state, serial, "changed", "has these limits already", change)


@meter.command()
@state_option
@click.argument("serial")
@pass_cli
def settle(cli: Cli, state: Path, serial: str) -> None:
    """Charge what the mailer owes."""
    _change(cli, state, serial, "settled", "owes nothing", partial(meters.settle, serial=serial))


@meter.command()
@state_option
@click.option("--all", "everything", is_flag=True, help="All whose records are not as the boxes know them.")
@click.argument("serial", required=False)
@pass_cli
def recover(cli: Cli, state: Path, serial: str | None, everything: bool) -> None:
    """After the database was restored: its meter box says how the meter stands, and the gap stands in the log.

    A mailer who signed on since the backup has to sign on again.
    """
    if everything == (serial is not None):
        raise click.UsageError("say SERIAL or --all")
    if serial is not None:
        found = ask(cli, state, f"meter {serial} was not recovered", partial(meters.recover, serial=serial))
        is_so = f"nothing was done: meter {serial} was as its box knows it"
        cli.say(f"recovered meter {serial}" if found.is_changed else is_so)
        if found.signs_on:
            _say_mailer(cli, serial)
        return
    done = ask(cli, state, "the meters were not recovered", meters.recover_all)
    for one in done.mailers:
        _say_mailer(cli, one)
    for one, why in done.failed:
        cli.say(f"not recovered: meter {one}: {why}")
    cli.say(f"recovered {len(done.recovered)} meters; {done.genuine} were as their boxes know them")
    if done.failed:
        why = f"boxes did not say how {len(done.failed)} of them stand"
        commands = (split_next(said).command for _, said in done.failed)
        helps = next((command for command in commands if command is not None), STATUS)
        raise OperatorError("not all meters were recovered", why, helps)


def _say_mailer(cli: Cli, serial: str) -> None:
    cli.say(f"meter {serial}: its mailer has to sign on again    (fob meter sign-on NAME)")


def _order(cli: Cli, state: Path, serial: str, deed: Deed, done: str, already: str) -> None:
    _change(cli, state, serial, done, already, partial(meters.order, serial=serial, deed=deed))


def _change(
    cli: Cli, state: Path, serial: str, done: str, already: str, work: Callable[[Operator], Coroutine[Any, Any, bool]]
) -> None:
    """`work` gives whether there was something to do."""
    is_done = ask(cli, state, f"meter {serial} was not {done}", work)
    cli.say(f"{done} meter {serial}" if is_done else f"nothing was done: meter {serial} {already}")


def _row(record: MeterRecord) -> dict[str, object]:
    registers = record.registers
    return {
        "serial": record.serial, "value_kind": record.value_kind, "state": record.state.name.lower(),
        "counter": registers.counter, "ascending": registers.ascending, "descending": registers.descending,
        "owed": registers.owed, "fee": record.fee, "pieces": registers.pieces, "time": record.time,
    }  # fmt: skip

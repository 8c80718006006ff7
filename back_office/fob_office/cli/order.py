"""`fob-office order`: what devices shall become."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.device import WHO, read_record
from fob_office.orders.service import change_order, create_order
from fob_office.orders.views import order_view


@click.group()
def order() -> None:
    """Orders: the options that a device shall have."""


@order.command()
@state_option
@click.option(
    "--record", type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The device's factory record, if it has not been added yet.",
)  # fmt: skip
@click.option("--equipment", default="", help="Hardware that was ordered with it, for people.")
@click.argument("serial")
@click.argument("options", nargs=-1)
@pass_cli
def create(
    cli: Cli, state: Path, serial: str, options: tuple[str, ...], record: Path | None, equipment: str
) -> None:  # fmt: skip
    """Order options (ids of components) for a device."""
    factory_record = read_record(record) if record is not None else b""
    with cli.office(state) as office:
        create_order(office, serial, options, WHO, equipment=equipment, factory_record=factory_record)
    cli.say(f"ordered for {serial}: {', '.join(options) or 'nothing'}")


@order.command()
@state_option
@click.argument("serial")
@click.argument("options", nargs=-1)
@pass_cli
def change(cli: Cli, state: Path, serial: str, options: tuple[str, ...]) -> None:
    """Other options, instead of those that were ordered."""
    with cli.office(state) as office:
        change_order(office, serial, options, WHO)
    cli.say(f"ordered for {serial}: {', '.join(options) or 'nothing'}")


@order.command()
@state_option
@json_option
@click.argument("serial")
@pass_cli
def show(cli: Cli, state: Path, serial: str) -> None:
    """What a device shall have, and why."""
    with cli.office(state) as office, office.database.read() as session:
        shown = order_view(session, serial, office.now()).model_dump()
    if not cli.is_json:
        shown["options"] = [f"{one['component']} ({one['source']})" for one in shown["options"]]
    cli.fields(shown)

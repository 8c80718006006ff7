"""`fob-office device`: who may ask for a configuration."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.devices.service import RECORD_LIMIT, add_device, device_of, devices_after, set_state
from fob_office.devices.tables import DeviceState
from fob_office.devices.views import device_details, device_view
from fob_office.paging import PAGE

WHO = "operator"


def read_record(path: Path) -> bytes:
    """A sealed factory record; what is too long is none. Raises OSError."""
    with path.open("rb") as file:
        return file.read(RECORD_LIMIT)


@click.group()
def device() -> None:
    """Devices: their records, as the factory wrote them."""


@device.command()
@state_option
@click.argument("record", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_cli
def add(cli: Cli, state: Path, record: Path) -> None:
    """Add a device by its factory record, a file of `fob-device factory`."""
    with cli.office(state) as office:
        added = add_device(office, read_record(record), WHO)
    cli.say(f"added {added.serial}")
    cli.say(f"next:  fob-office order create {added.serial} OPTION...")


@device.command("list")
@state_option
@json_option
@click.option("--after", default="", help="The last serial that is known.")
@click.option("--count", type=click.IntRange(1, PAGE), default=PAGE, show_default=True, help="At most so many.")
@pass_cli
def list_(cli: Cli, state: Path, after: str, count: int) -> None:
    """Devices, by serial."""
    with cli.office(state) as office, office.database.read() as session:
        cli.table([device_view(found).model_dump() for found in devices_after(session, after, count)])


@device.command()
@state_option
@json_option
@click.argument("serial")
@pass_cli
def show(cli: Cli, state: Path, serial: str) -> None:
    """One device, and what it last said that it holds."""
    with cli.office(state) as office, office.database.read() as session:
        shown = device_details(session, device_of(session, serial), office.now()).model_dump()
    if not cli.is_json:
        shown["installed"] = [f"{one['component']} {one['version']}" for one in shown["installed"]]
        shown["last_report"] = shown["last_report"] or "none"
        shown["copies"] = [f"{one['program']} {one['version']} ({one['state']})" for one in shown["copies"]]
    cli.fields(shown)


@device.command()
@state_option
@click.argument("serial")
@pass_cli
def disable(cli: Cli, state: Path, serial: str) -> None:
    """Deny a device from now on, as one that nobody knows."""
    with cli.office(state) as office:
        set_state(office, serial, DeviceState.DISABLED, WHO)
    cli.say(f"disabled {serial}")


@device.command()
@state_option
@click.argument("serial")
@pass_cli
def enable(cli: Cli, state: Path, serial: str) -> None:
    """Let a disabled device in again."""
    with cli.office(state) as office:
        set_state(office, serial, DeviceState.ACTIVE, WHO)
    cli.say(f"enabled {serial}")

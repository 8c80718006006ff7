"""`fob-office component`: what devices can be given."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.device import WHO
from fob_office.components.drafts import RELEASE_DAYS, Draft
from fob_office.components.service import (
    PAGE,
    SERVER,
    add_release,
    releases_after,
    releases_of,
    resign_server,
    withdraw,
)
from fob_office.components.shipping import add_shipped
from fob_office.components.tables import ReleaseState
from fob_office.components.versions import parse
from fob_office.components.views import ReleaseView, release_view
from fob_protocol.office.component import Kind
from fob_protocol.office.limits import CONTENT_LIMIT
from fob_protocol.office.release import Dependency

_COLUMNS = ("id", "component", "version", "kind", "state", "size", "signer", "epoch")

_STATES = {False: ReleaseState.AVAILABLE, True: ReleaseState.STAGED}


@click.group()
def component() -> None:
    """Components: releases, each signed and sealed once."""


@component.command()
@state_option
@click.option("--shipped", is_flag=True, help="Those that come with Fob; nothing else is needed but --hardware.")
@click.option("--hardware", multiple=True, required=True, help="For which devices; several.")
@click.option("--id", "name", help="What programs call it, as postage-rates.")
@click.option("--version", help="Three numbers, as 1.0.0.")
@click.option("--title", help="What people read; the id without it.")
@click.option("--kind", type=click.Choice([kind.name.lower() for kind in Kind]), help="By the file's name without it.")
@click.option("--needs", multiple=True, help="COMPONENT=LEAST-VERSION; several.")
@click.option("--command", "commands", multiple=True, help="Of a module: XNAME; several, in its own order.")
@click.option("--security-counter", type=click.IntRange(0), default=0, show_default=True, help="Never goes back.")
@click.option("--days", type=click.IntRange(1, 4000), default=RELEASE_DAYS, show_default=True, help="To be given out.")
@click.option("--staged", is_flag=True, help="Only a rollout brings it.")
@click.option("--signer", default=SERVER, show_default=True, help="The release server.")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@pass_cli
def add(
    cli: Cli,
    state: Path,
    shipped: bool,
    hardware: tuple[str, ...],
    file: Path | None,
    staged: bool,
    signer: str,
    name: str | None,
    version: str | None,
    title: str | None,
    kind: str | None,
    needs: tuple[str, ...],
    commands: tuple[str, ...],
    security_counter: int,
    days: int,
) -> None:
    """Release a component: the octets of FILE, a WebAssembly module or data."""
    if shipped:
        if file is not None or name is not None or version is not None or staged:
            raise click.UsageError("--shipped goes with --hardware and --signer only")
        with cli.office(state) as office:
            added = add_shipped(office, hardware, WHO, server=signer)
        cli.say(f"added {', '.join(added) or 'nothing: all of them are there'}")
        return
    if file is None or name is None or version is None:
        raise click.UsageError("say --shipped, or --id, --version and a file")
    draft = Draft(
        name, parse(version), title or name, _kind(file, kind), _content(file), hardware,
        tuple(map(_dependency, needs)), commands, security_counter, days,
    )  # fmt: skip
    with cli.office(state) as office:
        add_release(office, draft, WHO, server=signer, state=_STATES[staged])
    cli.say(f"added {name} {version} ({_STATES[staged].name.lower()})")


@component.command("list")
@state_option
@json_option
@click.option("--after", type=click.IntRange(0), default=0, help="The last id that is known.")
@click.option("--count", type=click.IntRange(1, PAGE), default=PAGE, show_default=True, help="At most so many.")
@pass_cli
def list_(cli: Cli, state: Path, after: int, count: int) -> None:
    """Releases, oldest first."""
    with cli.office(state) as office, office.database.read() as session:
        _table(cli, [release_view(row) for row in releases_after(session, after, count)])


@component.command()
@state_option
@json_option
@click.argument("name")
@pass_cli
def show(cli: Cli, state: Path, name: str) -> None:
    """The releases of a component, newest first."""
    with cli.office(state) as office, office.database.read() as session:
        _table(cli, [release_view(row) for row in releases_of(session, name)])


@component.command("withdraw")
@state_option
@click.argument("name")
@click.argument("version")
@pass_cli
def withdraw_(cli: Cli, state: Path, name: str, version: str) -> None:
    """Nobody gets a release any more; who holds it keeps it until there is a newer one."""
    with cli.office(state) as office:
        withdraw(office, name, parse(version), WHO)
    cli.say(f"withdrawn: {name} {version}")


@component.command()
@state_option
@click.option("--signer", default=SERVER, show_default=True, help="The release server.")
@pass_cli
def resign(cli: Cli, state: Path, signer: str) -> None:
    """Sign all releases anew, after the signer's keys were changed (`fob-office server change-keys`)."""
    with cli.office(state) as office:
        count = resign_server(office, signer, WHO)
    cli.say(f"signed {count} anew")


def _table(cli: Cli, views: list[ReleaseView]) -> None:
    rows = [view.model_dump() for view in views]
    cli.table(rows if cli.is_json else [{column: row[column] for column in _COLUMNS} for row in rows])


def _kind(file: Path, told: str | None) -> Kind:
    if told is not None:
        return Kind[told.upper()]
    return Kind.MODULE if file.suffix == ".wasm" else Kind.DATA


def _content(file: Path) -> bytes:
    """What is too large is said to be so, and not cut."""
    with file.open("rb") as opened:
        return opened.read(CONTENT_LIMIT + 1)


def _dependency(told: str) -> Dependency:
    name, _, least = told.partition("=")
    return Dependency(name, parse(least))

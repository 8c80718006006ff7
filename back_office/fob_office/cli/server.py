"""`fob-office server`: who devices speak to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from fob_office.cli.context import Cli, issuer_key_option, json_option, pass_cli, state_option
from fob_office.directory.role import servers
from fob_office.errors import OperatorError
from fob_office.issuer.service import CERTIFICATE_DAYS, OF_CENTRE
from fob_office.servers.service import newest_keys
from fob_office.servers.views import server_view, server_views
from fob_protocol.office.certificate import Usage

Command = TypeVar("Command", bound=Callable[..., Any])

_COLUMNS = ("name", "title", "usages", "epoch", "least_epoch", "not_before", "not_after", "state")
USAGES = {usage.name.lower(): usage for usage in Usage}


def days_option(command: Command) -> Command:
    """`--days`."""
    return click.option(
        "--days", type=click.IntRange(1, 4000), default=CERTIFICATE_DAYS, show_default=True, help="Of its certificate."
    )(command)


def keys_file_option(command: Command) -> Command:
    """`--keys-file`."""
    return click.option(
        "--keys-file", type=click.Path(path_type=Path, dir_okay=False),
        help="New PEM file for the private keys, which are then not kept here.",
    )(command)  # fmt: skip


@click.group()
def server() -> None:
    """Servers: their certificates, key changes and revocation. Each needs the issuer's key."""


@server.command("list")
@state_option
@json_option
@pass_cli
def list_(cli: Cli, state: Path) -> None:
    """All servers."""
    with cli.office(state) as office, office.database.read() as session:
        views = [view.model_dump() for view in server_views(session)]
    cli.table(views if cli.is_json else [{column: view[column] for column in _COLUMNS} for view in views])


@server.command()
@state_option
@json_option
@click.argument("name")
@pass_cli
def show(cli: Cli, state: Path, name: str) -> None:
    """One server."""
    with cli.office(state) as office, office.database.read() as session:
        cli.fields(server_view(session, name).model_dump())


@server.command()
@state_option
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; else in hexadecimal.")
@click.argument("name")
@pass_cli
def certificate(cli: Cli, state: Path, name: str, output: Path | None) -> None:
    """A server's newest certificate, which fob-device factory wants of the configuration server."""
    with cli.office(state) as office, office.database.read() as session:
        signed = newest_keys(session, name).certificate
    if output is None:
        cli.line(signed.hex())
    else:
        output.write_bytes(signed)


@server.command("directory")
@state_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_cli
def directory_(cli: Cli, state: Path, file: Path) -> None:
    """Write what devices are told of all servers into FILE, for `component build` away from the office."""
    with cli.office(state) as office, office.database.read() as session:
        file.write_bytes(servers(session).octets())


@server.command()
@state_option
@issuer_key_option
@click.option("--title", help="What people read; the name without it.")
@click.option(
    "--usage", "usages", type=click.Choice(list(USAGES)), multiple=True, required=True, help="What it may do; several."
)
@days_option
@keys_file_option
@click.argument("name")
@pass_cli
def add(
    cli: Cli,
    state: Path,
    name: str,
    title: str | None,
    usages: tuple[str, ...],
    days: int,
    keys_file: Path | None,
    issuer_key: Path | None,
) -> None:
    """A new server with its own keys and a certificate of the issuer."""
    if "registration" in usages and "entitlement" not in usages:
        raise click.UsageError("who registers there could use nothing: say --usage entitlement too")
    if OF_CENTRE & {USAGES[usage] for usage in usages}:
        why = "private keys for metering and boxes are made in a data centre, and never leave it"
        raise OperatorError(f"server {name} was not added", why, "fob-office centre init")
    with cli.issuing(state, issuer_key) as issuing:
        issuing.add_server(
            name, title or name, tuple(USAGES[usage] for usage in usages), days=days, keys_file=keys_file
        )
    cli.say(f"added {name}")


@server.command("change-keys")
@state_option
@issuer_key_option
@days_option
@keys_file_option
@click.argument("name")
@pass_cli
def change_keys(cli: Cli, state: Path, name: str, days: int, keys_file: Path | None, issuer_key: Path | None) -> None:
    """New keys of the next epoch. The old ones work until `revoke`, so that no device is left out meanwhile."""
    with cli.issuing(state, issuer_key) as issuing:
        issuing.change_keys(name, days=days, keys_file=keys_file)
        signs_releases = issuing.signs_releases(name)
    cli.say(f"changed the keys of {name}")
    if signs_releases:
        again = "build and import each release anew" if keys_file else f"fob-office component resign --signer {name}"
        cli.say(f"next:  {again}    (what the old keys signed is worth nothing once they are revoked)")
    step = "then" if signs_releases else "next"
    cli.say(f"{step}:  fob-office server revoke {name} --old    (when devices had time to learn the new ones)")
    if not keys_file:
        cli.say(
            "then:  fob-office backup FOLDER    (an office that is put back to an older one has not got these keys)"
        )


@server.command()
@state_option
@issuer_key_option
@click.option("--old", is_flag=True, help="All but the newest keys.")
@click.option("--all", "everything", is_flag=True, help="The newest too: the server is no more, until its keys change.")
@click.option("--anyway", is_flag=True, help="Also when releases that they signed can be given to nobody then.")
@click.argument("name")
@pass_cli
def revoke(
    cli: Cli, state: Path, name: str, old: bool, everything: bool, anyway: bool, issuer_key: Path | None
) -> None:  # fmt: skip
    """Make keys worthless by a new revocation list, and erase them here."""
    if old == everything:
        raise click.UsageError("say --old or --all")
    with cli.issuing(state, issuer_key) as issuing:
        number = issuing.revoke(name, everything=everything, anyway=anyway).number
    cli.say(f"revoked: list {number} says so")

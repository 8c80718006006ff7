"""`fob-office component`: what devices can be given."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, page_options, pass_cli, state_option
from fob_office.cli.device import WHO
from fob_office.cli.drafting import FILE, Told, draft_options
from fob_office.components.building import NOT_BUILT, OFFICE, open_bench
from fob_office.components.ends import ending_releases
from fob_office.components.importing import import_bundle
from fob_office.components.service import (
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
from fob_office.errors import OperatorError
from fob_office.secrets.private_file import write_new
from fob_office.servers.key_pair import KeyPair
from fob_protocol.office.component import words
from fob_protocol.office.limits import ANSWER_LIMIT, BUNDLE_LIMIT

_COLUMNS = ("id", "component", "version", "kind", "state", "size", "signer", "epoch")

_KEY_SIZE = 32

_STATES = {False: ReleaseState.AVAILABLE, True: ReleaseState.STAGED}


@click.group()
def component() -> None:
    """Components: releases, each signed and sealed once."""


@component.command()
@state_option
@click.option("--shipped", is_flag=True, help="Those that come with Fob; nothing else is needed but --hardware.")
@draft_options
@click.option("--staged", is_flag=True, help="Only a rollout brings it.")
@click.option("--signer", default=SERVER, show_default=True, help="The release server.")
@pass_cli
def add(cli: Cli, state: Path, shipped: bool, staged: bool, signer: str, told: Told) -> None:
    """Release a component: the octets of FILE, a WebAssembly module or data."""
    if shipped:
        if told.file is not None or told.name is not None or told.version is not None or staged:
            raise click.UsageError("--shipped goes with --hardware and --signer only")
        with cli.office(state) as office:
            added = add_shipped(office, told.hardware, WHO, server=signer)
        cli.say(f"added {', '.join(added) or 'nothing: all of them are there'}")
        return
    draft = told.draft("say --shipped, or --id, --version and a file")
    with cli.office(state) as office:
        add_release(office, draft, WHO, server=signer, state=_STATES[staged])
    cli.say(f"added {draft.id} {words(draft.version)} ({_STATES[staged].name.lower()})")


@component.command()
@draft_options
@click.option("--keys-file", required=True, type=FILE, help="PEM file with the release server's private keys.")
@click.option("--directory", required=True, type=FILE, help="What `fob-office server directory` wrote at the office.")
@click.option("--issuer", required=True, help="The issuer's public key (64 hexadecimal digits), as devices have it.")
@click.option("--office", default=OFFICE, show_default=True, help="The configuration server that is to take it in.")
@click.option("--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="A new file.")
@pass_cli
def build(cli: Cli, keys_file: Path, directory: Path, issuer: str, office: str, output: Path, told: Told) -> None:
    """Sign and seal a component away from the office, into a bundle that it takes in by `import`."""
    draft = told.draft("say --id, --version and a file")
    servers = _read(directory, ANSWER_LIMIT)
    bench = open_bench(KeyPair.read(keys_file), servers, _key(issuer), office, cli.surroundings.clock())
    made, bundle = bench.build(draft, cli.surroundings)
    try:
        write_new(output, bundle)
    except OSError as error:
        raise OperatorError(NOT_BUILT, f"{output}: {error.strerror}", "another --output") from None
    cli.say(f"built {draft.id} {words(draft.version)}, of SHA-256 {made.release.digest.hex()}")
    cli.say(f"next:  fob-office component import {output.name}    (at the office)")


@component.command("import")
@state_option
@click.option("--staged", is_flag=True, help="Only a rollout brings it.")
@click.argument("bundle", type=FILE)
@pass_cli
def import_(cli: Cli, state: Path, staged: bool, bundle: Path) -> None:
    """Take in a bundle of `build`. One that is there under older keys of its server is signed anew by it."""
    with cli.office(state) as office:
        release = import_bundle(office, _read(bundle, BUNDLE_LIMIT), WHO, _STATES[staged])
    cli.say(f"imported {release.id} {words(release.version)}, of SHA-256 {release.digest.hex()}")


@component.command("list")
@state_option
@json_option
@page_options
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
    """Sign all releases anew by the signer's newest keys, before the old ones are revoked (`server revoke --old`)."""
    with cli.office(state) as office:
        count = resign_server(office, signer, WHO)
    cli.say(f"signed {count} anew")


@component.command()
@state_option
@json_option
@pass_cli
def ends(cli: Cli, state: Path) -> None:
    """Ordered components whose newest release is over, ends soon, or was signed by keys that are revoked."""
    with cli.office(state) as office, office.database.read() as session:
        sentences = ending_releases(session, office.now())
    if cli.is_json:
        cli.data(sentences)
        return
    for sentence in sentences:
        cli.line(sentence)


def _table(cli: Cli, views: list[ReleaseView]) -> None:
    rows = [view.model_dump() for view in views]
    cli.table(rows if cli.is_json else [{column: row[column] for column in _COLUMNS} for row in rows])


def _read(file: Path, limit: int) -> bytes:
    """What is too large is said to be so by whoever reads it, and not cut."""
    with file.open("rb") as opened:
        return opened.read(limit + 1)


def _key(told: str) -> bytes:
    try:
        key = bytes.fromhex(told)
    except ValueError:
        key = b""
    if len(key) != _KEY_SIZE:
        raise click.UsageError("--issuer has 64 hexadecimal digits: fob-office issuer show")
    return key

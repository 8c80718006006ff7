"""`fob-office program`: what copies there may be of, and how they are measured."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile, ZipFile

import click

from fob_office.cli.context import Cli, json_option, page_options, pass_cli, state_option
from fob_office.cli.device import WHO
from fob_office.components.versions import parse
from fob_office.errors import OperatorError
from fob_office.programs.comparing import compare as compare_files
from fob_office.programs.own_version import check_version, version_of_folder, version_of_wheel
from fob_office.programs.reading import installation_of_folders, installation_of_wheel
from fob_office.programs.service import (
    ADD,
    add_installation,
    change_setting,
    installations_after,
    withdraw_installation,
)
from fob_office.programs.views import change_of, installation_view, program_view, setting_view
from fob_protocol.integrity.installation import Installation, InstallationError
from fob_protocol.integrity.method import Embedder, Technique, Variant

Command = TypeVar("Command", bound=Callable[..., Any])

TECHNIQUES = [technique.name for technique in Technique]
_EMBEDDERS = [embedder.name.lower() for embedder in Embedder]
_VARIANTS = [variant.name.replace("_", "-") for variant in Variant]
# As a copy record has it.
_SECONDS = click.IntRange(0, 400 * 86_400)


@click.group()
def program() -> None:
    """Programs: every release of a component is one, and so are installations that are added here."""


@dataclass(frozen=True, slots=True)
class Given:
    """An installation that was read, and what it says of its versions, by where it is."""

    installation: Installation
    versions: dict[Path, str | None]


@contextmanager
def _given(folders: tuple[Path, ...], wheel: Path | None, packages: tuple[str, ...], trouble: str) -> Iterator[Given]:
    """Raises UsageError, and OperatorError for files that are no installation: `trouble` is what came of it."""
    if bool(folders) == (wheel is not None) or (packages and wheel is None):
        raise click.UsageError("say --folder, or --wheel with or without --package")
    try:
        if wheel is None:
            yield Given(installation_of_folders(folders), {folder: version_of_folder(folder) for folder in folders})
        else:
            with ZipFile(wheel) as opened:
                yield Given(installation_of_wheel(opened, packages), {wheel: version_of_wheel(opened)})
    except (InstallationError, BadZipFile) as error:
        raise OperatorError(trouble, str(error), ADD) from None


def _source_options(command: Command) -> Command:
    """`--folder`, `--wheel` and `--package`."""
    folder = click.Path(path_type=Path, file_okay=False, exists=True)
    file = click.Path(path_type=Path, dir_okay=False, exists=True)
    only = "Of the wheel, when not all of them are meant; several."
    command = click.option("--package", "packages", multiple=True, help=only)(command)
    command = click.option("--wheel", type=file, help="Instead of folders.")(command)
    return click.option("--folder", "folders", type=folder, multiple=True, help="Of an installed package; several.")(
        command
    )


@program.command()
@state_option
@_source_options
@click.argument("name")
@click.argument("version")
@pass_cli
def add(
    cli: Cli,
    state: Path,
    name: str,
    version: str,
    folders: tuple[Path, ...],
    wheel: Path | None,
    packages: tuple[str, ...],
) -> None:
    """Add an installation: all files of its packages, as docs/integrity-protocol.md says in section 7."""
    number = parse(version)
    with _given(folders, wheel, packages, f"{name} {version} was not added") as given, cli.office(state) as office:
        for source, own in given.versions.items():
            check_version(name, number, source, own)
        add_installation(office, name, number, given.installation, WHO)
    cli.say(f"added {name} {version}")


@program.command()
@state_option
@json_option
@_source_options
@click.argument("name")
@click.argument("version")
@pass_cli
def compare(
    cli: Cli,
    state: Path,
    name: str,
    version: str,
    folders: tuple[Path, ...],
    wheel: Path | None,
    packages: tuple[str, ...],
) -> None:
    """Name the files that differ from those of an installation that was added."""
    called = f"{name} {version}"
    number = parse(version)
    with (
        _given(folders, wheel, packages, f"{called} was not compared") as given,
        cli.office(state) as office,
        office.database.read() as session,
    ):
        count, others = compare_files(session, office, name, number, given.installation)
    if not others:
        cli.say(f"the same: {count} files")
        return
    cli.table([{"file": file, "is": how} for file, how in others.items()])
    raise OperatorError(
        f"that is not what was added as {called}",
        f"{len(others)} of {count} files differ: another release, changed, or installed in another way",
        f"install what was added; or fob-office program withdraw {called}, and add what is installed",
    )


@program.command("list")
@state_option
@json_option
@page_options
@pass_cli
def list_(cli: Cli, state: Path, after: int, count: int) -> None:
    """Installations, oldest first. (Components: fob-office component list.)"""
    with cli.office(state) as office, office.database.read() as session:
        cli.table([installation_view(row).model_dump() for row in installations_after(session, after, count)])


@program.command()
@state_option
@json_option
@click.argument("name")
@click.argument("version")
@pass_cli
def show(cli: Cli, state: Path, name: str, version: str) -> None:
    """One program, and how its copies are made."""
    with cli.office(state) as office, office.database.read() as session:
        cli.fields(program_view(session, name, parse(version)).model_dump())


@program.command()
@state_option
@json_option
@click.option("--technique", type=click.Choice(TECHNIQUES), help="D2 and D4 are embedded by the tool, by a letter.")
@click.option("--embedder", type=click.Choice(_EMBEDDERS), help="Where the technique leaves it open.")
@click.option("--variant", type=click.Choice(_VARIANTS))
@click.option("--lifetime", type=click.IntRange(1, 400 * 86_400), help="Seconds that a ticket is good for.")
@click.option("--interval", type=_SECONDS, help="Seconds from one VAL_OK to the next; 0 is before each use.")
@click.option("--grace", type=_SECONDS, help="Seconds that a copy goes on while the server is away.")
@click.option("--rolls/--no-rolls", default=None, help="Whether the identifier changes with each VAL_OK.")
@click.argument("name")
@click.argument("version", required=False)
@pass_cli
def policy(
    cli: Cli,
    state: Path,
    name: str,
    version: str | None,
    technique: str | None,
    embedder: str | None,
    variant: str | None,
    lifetime: int | None,
    interval: int | None,
    grace: int | None,
    rolls: bool | None,
) -> None:
    """How copies are made from now on, of one version or of all; what is not said stays as it is.

    Without an option it is shown, and nothing changes.
    """
    change = change_of(
        technique, embedder, variant, lifetime=lifetime, interval=interval, grace=grace, rolls=rolls
    )  # fmt: skip
    with cli.office(state) as office:
        setting = change_setting(office, name, parse(version) if version is not None else None, change, WHO)
    cli.fields(setting_view(setting).model_dump())


@program.command()
@state_option
@click.argument("name")
@click.argument("version")
@pass_cli
def withdraw(cli: Cli, state: Path, name: str, version: str) -> None:
    """Copies of an installation that are made from now on are disabled; those that there are go on."""
    with cli.office(state) as office:
        withdraw_installation(office, name, parse(version), WHO)
    cli.say(f"withdrawn: {name} {version}")
    cli.say(f"copies that there are go on: fob-office copy list --program {name}, and copy disable")

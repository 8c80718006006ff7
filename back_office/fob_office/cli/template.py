"""`fob-office template`: what servers ask for when somebody registers."""

from pathlib import Path
from typing import get_args

import click
from pydantic import ValidationError

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.errors import UsageError
from fob_office.registration.operating import Registrar, check_registers
from fob_office.registration.templates import Registrants, TemplateSetting, presets, setting_of
from fob_office.registration.views import registering_servers

# A template of all the fields that there can be is a tenth of it.
FILE_LIMIT = 65_536


@click.group()
def template() -> None:
    """Registration templates: fields, and what a person may do from the first moment on."""


@template.command("list")
@state_option
@json_option
@pass_cli
def list_(cli: Cli, state: Path) -> None:
    """What each server asks for."""
    with cli.office(state) as office, office.database.read() as session:
        cli.table([_row("server", name, setting_of(session, name)) for name in registering_servers(session)])


@template.command("presets")
@json_option
@pass_cli
def presets_(cli: Cli) -> None:
    """Templates that come with Fob."""
    cli.table([_row("preset", name, setting) for name, setting in presets().items()])


@template.command()
@state_option
@click.argument("server")
@pass_cli
def show(cli: Cli, state: Path, server: str) -> None:
    """All of one, in JSON: what `set --file` takes."""
    with cli.office(state) as office, office.database.read() as session:
        check_registers(session, server)
        cli.line(setting_of(session, server).model_dump_json())


@template.command("set")
@state_option
@click.argument("server")
@click.option("--preset", type=click.Choice(list(presets())), help="One that comes with Fob.")
@click.option("--file", "path", type=click.Path(path_type=Path, dir_okay=False), help="One of your own, in JSON.")
@click.option(
    "--registrants", type=click.Choice(get_args(Registrants)), help="Whose devices may register; as it says without it."
)
@pass_cli
def set_(
    cli: Cli, state: Path, server: str, preset: str | None, path: Path | None, registrants: Registrants | None
) -> None:
    """From now on a server asks for this."""
    if (preset is None) == (path is None):
        raise click.UsageError("say --preset or --file")
    setting = presets()[preset] if preset is not None else _read(path or Path())
    if registrants is not None:
        setting = setting.model_copy(update={"registrants": registrants})
    with cli.office(state) as office:
        Registrar(office).set_template(server, setting)
    cli.say(f"{server} asks for {', '.join(setting.asked)}")


def _row(kind: str, name: str, setting: TemplateSetting) -> dict[str, object]:
    return {
        kind: name, "application": setting.application, "title": setting.title, "form": setting.form,
        "registrants": setting.registrants, "fields": list(setting.asked),
    }  # fmt: skip


def _read(path: Path) -> TemplateSetting:
    """Raises UsageError, OSError."""
    with path.open("rb") as file:
        octets = file.read(FILE_LIMIT + 1)
    try:
        return TemplateSetting.model_validate_json(octets[:FILE_LIMIT])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        why = f"{path}: {place}: {first['msg']}" if place else f"{path}: {first['msg']}"
        raise UsageError("that is no template", why, "fob-office template show SERVER") from None

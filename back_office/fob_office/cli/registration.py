"""`fob-office registration`: who is registered."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.who import find, who_argument
from fob_office.registration.operating import Registrar
from fob_office.registration.views import PAGE, StandingWord, person_view, registration_views


@click.group()
def registration() -> None:
    """Registrations: people, and the devices that they registered with. WHO is a name or a code."""


@registration.command("list")
@state_option
@json_option
@click.option("--server", help="Only those there.")
@click.option("--standing", type=click.Choice(["pending", "confirmed", "revoked"]), help="Only these.")
@click.option("--after", default="", help="A code; those behind it.")
@pass_cli
def list_(cli: Cli, state: Path, server: str | None, standing: StandingWord | None, after: str) -> None:
    """By code, a hundred at a time."""
    try:
        last = bytes.fromhex(after)
    except ValueError:
        raise click.UsageError("--after takes a code: 32 hexadecimal digits") from None
    with cli.office(state) as office, office.database.read() as session:
        views = registration_views(session, server=server, standing=standing, after=last, count=PAGE)
        cli.table([view.model_dump() for view in views])


@registration.command()
@state_option
@json_option
@who_argument
@pass_cli
def show(cli: Cli, state: Path, who: str, server: str) -> None:
    """One of them, with what they filled in."""
    with cli.office(state) as office, office.database.read() as session:
        view = person_view(office.sealer, find(session, server, who)).model_dump()
    if not cli.is_json:
        view |= {"fields": [f"{name}: {text}" for name, text in view["fields"].items()]}
    cli.fields(view)


@registration.command()
@state_option
@who_argument
@click.option("--free-name", is_flag=True, help="Somebody else may take the name.")
@pass_cli
def revoke(cli: Cli, state: Path, who: str, server: str, free_name: bool) -> None:
    """End it for ever: a device that was lost, a person who has left. Their sessions end with it."""
    with cli.office(state) as office:
        with office.database.read() as session:
            code = find(session, server, who).user_code
        Registrar(office).revoke(code, frees_name=free_name)
    cli.say(f"revoked {who}")

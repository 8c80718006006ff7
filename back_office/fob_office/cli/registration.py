"""`fob-office registration`: who is registered."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.values import since_option
from fob_office.cli.who import DEFAULT, find, who_argument
from fob_office.devices.service import key_id_of
from fob_office.paging import PAGE
from fob_office.registration.operating import Registrar, Which, check_server
from fob_office.registration.views import StandingWord, person_view, registration_views


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
        if server is not None:
            check_server(session, server)
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
        view = person_view(session, office.sealer, find(session, server, who)).model_dump()
    if not cli.is_json:
        view |= {"fields": [f"{name}: {text}" for name, text in view["fields"].items()]}
    cli.fields(view)


@registration.command()
@state_option
@click.argument("who", required=False)
@click.option("--server", help=f"Where they are registered.  [default: {DEFAULT} for WHO, else everywhere]")
@click.option("--free-name", is_flag=True, help="Somebody else may take the name.")
@click.option("--device", metavar="SERIAL|KEY", help="All of one device, as `list` and `device list` name it.")
@since_option("All that were begun")
@pass_cli
def revoke(
    cli: Cli,
    state: Path,
    who: str | None,
    server: str | None,
    free_name: bool,
    device: str | None,
    since: int | None,
) -> None:
    """End it for ever: a device that was lost, a person who has left. Their sessions end with it.

    With --device or --since, many at once, at all servers or one.
    """
    if (who is None) == (device is None and since is None):
        raise click.UsageError("say WHO, or --device or --since")
    with cli.office(state) as office:
        registrar = Registrar(office)
        if who is None:
            with office.database.read() as session:
                key = key_id_of(session, device) if device is not None else None
            count = registrar.revoke_many(Which(server, key, since or 0), frees_name=free_name)
            said = f"{count} registrations"
            if count == 0:
                said += ", as none that is not revoked fits:  fob-office registration list"
        else:
            with office.database.read() as session:
                code = find(session, server or DEFAULT, who).user_code
            registrar.revoke(code, frees_name=free_name)
            said = who
    cli.say(f"revoked {said}")

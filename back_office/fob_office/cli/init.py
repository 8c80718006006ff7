"""`fob-office init`: all that a first start needs."""

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import click
from sqlalchemy.exc import SQLAlchemyError

from fob_office.beginning import NOT_MADE, again, beginning
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.database.troubles import of_system, why_and_command
from fob_office.errors import OperatorError
from fob_office.founding import FIRST_SERVERS, SEPARATE_SERVERS, FirstServer, found_office
from fob_office.issuer.service import issuer_public_key
from fob_office.listening import Place, parse_place
from fob_office.secrets.private_file import replace_file
from fob_office.settings import DATABASE_VARIABLE, FILE, LISTEN, LISTEN_VARIABLE, Settings
from fob_office.tls import LOCAL_NAMES, check_name, make_certificate

_SETTINGS: Final = """\
# The back office in this folder. `fob-office run --help`

listen = {listen}
{database}
"""


@click.command()
@state_option
@json_option
@click.option(
    "--database", metavar="URL", envvar=DATABASE_VARIABLE,
    help="postgresql+psycopg://user@host/name; SQLite in the folder without it.",
)  # fmt: skip
@click.option("--listen", metavar="HOST:PORT", default=LISTEN, envvar=LISTEN_VARIABLE, show_default=True)
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="Another name or address that PCs reach it by.")
@click.option(
    "--issuer-key", type=click.Path(path_type=Path, dir_okay=False),
    help="PEM file with the issuer's key (Ed25519), to be kept elsewhere; without it one is made and sealed here.",
)  # fmt: skip
@click.option("--separate-validation", is_flag=True, help="Two servers for copies, with keys of their own.")
@pass_cli
def init(
    cli: Cli,
    state: Path,
    database: str | None,
    listen: str,
    hosts: tuple[str, ...],
    issuer_key: Path | None,
    separate_validation: bool,
) -> None:
    """Make an office: keys, database, servers, and a TLS certificate for this machine.

    Cut off in the middle, the same command goes on.
    """
    place = parse_place(listen)
    for host in hosts:
        check_name(host)
    settings = Settings(state=state, database=database, listen=listen)
    servers = SEPARATE_SERVERS if separate_validation else FIRST_SERVERS
    try:
        with beginning(state):
            ca_file = make_certificate(state, [*LOCAL_NAMES, *hosts], cli.surroundings.clock())
            office = found_office(settings, cli.environment, cli.surroundings, issuer_key, servers=servers)
            with closing(office):
                # The file by which the folder is an office comes last.
                replace_file(state / FILE, _settings_text(settings).encode())
                with office.database.read() as session:
                    issuer = issuer_public_key(session).hex()
    except OSError as error:
        why, command = of_system(error)
        raise OperatorError(NOT_MADE, why, command or again(state)) from None
    except SQLAlchemyError as error:
        raise OperatorError(NOT_MADE, *why_and_command(error)) from None
    _tell(cli, settings, issuer, servers, place, ca_file)


def _settings_text(settings: Settings) -> str:
    """In TOML, whose strings are written as JSON's in ASCII."""
    database = f"database = {json.dumps(settings.database)}" if settings.database else "# database: SQLite, here"
    return _SETTINGS.format(listen=json.dumps(settings.listen), database=database)


def _tell(
    cli: Cli, settings: Settings, issuer: str, servers: Sequence[FirstServer], place: Place, ca_file: Path
) -> None:
    names = [server.name for server in servers]
    if cli.is_json:
        url = place._replace(host="localhost").url("https")
        cli.data(
            {"state": str(settings.state), "issuer": issuer, "servers": names, "ca_file": str(ca_file), "url": url}
        )
        return
    cli.fields(
        {
            "office": settings.state,
            "database": settings.database_shown,
            "issuer": f"{issuer}    (public: devices are made with it)",
            "servers": names,
            "CA file": f"{ca_file}    (PCs trust the office by it)",
        }
    )
    cli.say(f"next:  fob-office run --state {settings.state}")

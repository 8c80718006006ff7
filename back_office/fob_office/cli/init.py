"""`fob-office init`: all that a first start needs."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.errors import OperatorError
from fob_office.founding import FIRST_SERVERS, NOT_MADE, found_office
from fob_office.issuer.service import issuer_public_key
from fob_office.listening import Place, parse_place
from fob_office.office import Office
from fob_office.secrets.private_file import write_new
from fob_office.settings import DATABASE_VARIABLE, FILE, LISTEN, LISTEN_VARIABLE, Settings
from fob_office.tls import LOCAL_NAMES, make_certificate

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
@pass_cli
def init(
    cli: Cli, state: Path, database: str | None, listen: str, hosts: tuple[str, ...], issuer_key: Path | None
) -> None:
    """Make an office: keys, database, servers, and a TLS certificate for this machine."""
    place = parse_place(listen)
    _make_folder(state)
    try:
        # The file by which the folder is an office comes last.
        ca_file = make_certificate(state, [*LOCAL_NAMES, *hosts], cli.surroundings.clock())
        settings = Settings(state=state, database=database, listen=listen)
        office = found_office(settings, cli.environment, cli.surroundings, issuer_key)
        write_new(state / FILE, _settings_text(settings).encode())
    except OSError as error:
        raise OperatorError(NOT_MADE, f"{error.filename}: {error.strerror}", _again(state)) from None
    try:
        _tell(cli, office, place, ca_file)
    finally:
        office.close()


def _make_folder(state: Path) -> None:
    """Raises OperatorError."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(state.iterdir()):
            is_office = (state / FILE).exists()
            why = f"there is one in {state}" if is_office else f"{state} is not empty"
            raise OperatorError(NOT_MADE, why, f"fob-office run --state {state}" if is_office else _again(state))
        # systemd, or the operator, may have made it.
        with suppress(PermissionError):
            state.chmod(0o700)
    except OSError as error:
        raise OperatorError(NOT_MADE, f"{error.filename}: {error.strerror}", f"ls -ld {state}") from None


def _again(state: Path) -> str:
    return f"fob-office init --state ANOTHER_FOLDER    (or empty {state})"


def _settings_text(settings: Settings) -> str:
    """In TOML, whose strings are written as JSON's in ASCII."""
    database = f"database = {json.dumps(settings.database)}" if settings.database else "# database: SQLite, here"
    return _SETTINGS.format(listen=json.dumps(settings.listen), database=database)


def _tell(cli: Cli, office: Office, place: Place, ca_file: Path) -> None:
    with office.database.read() as session:
        issuer = issuer_public_key(session).hex()
    if cli.is_json:
        servers = [server.name for server in FIRST_SERVERS]
        url = place._replace(host="localhost").url("https")
        cli.data({
            "state": str(office.settings.state), "issuer": issuer, "servers": servers, "ca_file": str(ca_file),
            "url": url,
        })  # fmt: skip
        return
    cli.fields(
        {
            "office": office.settings.state,
            "database": office.settings.database_shown,
            "issuer": f"{issuer}    (public: devices are made with it)",
            "servers": [server.name for server in FIRST_SERVERS],
            "CA file": f"{ca_file}    (PCs trust the office by it)",
        }
    )
    cli.say(f"next:  fob-office run --state {office.settings.state}")

"""`fob-office centre init`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from sqlalchemy.exc import SQLAlchemyError

from fob_office.centre.bus.passes import Kind
from fob_office.centre.founding.making import make_centre
from fob_office.centre.founding.plan import COUNTS, Plan
from fob_office.centre.operating.adding import NAMED
from fob_office.cli.centre.options import Module, kind_options, module_options, new_kind
from fob_office.cli.centre.released import check_released, warn_of_lacking
from fob_office.cli.context import Cli, issuer_key_option, json_option, pass_cli, state_option
from fob_office.database.troubles import why_and_command
from fob_office.errors import OperatorError, UsageError
from fob_protocol.metering.limits import AMOUNT_LIMIT, BOXES_LIMIT

Command = TypeVar("Command", bound=Callable[..., Any])

_NOT_MADE: Final = "no data centre was made"
_DATABASE: Final = "FOB_METERS_DATABASE"
# Of one kind, on one machine.
_MOST: Final = 99


def _counts(command: Command) -> Command:
    """`--meter-boxes` and so on."""
    for kind in reversed(_COUNTED):
        word = f"{kind.word}-boxes" if kind in _BOXES else f"{kind.word}-servers"
        command = click.option(
            f"--{word}", f"{kind.word}_count", type=click.IntRange(1, BOXES_LIMIT if kind in NAMED else _MOST),
            default=COUNTS[kind], show_default=True,
        )(command)  # fmt: skip
    return command


_BOXES: Final = (Kind.STEEL, Kind.METER, Kind.AUTHENTICATION, Kind.TRANSACTION)
# Of which there may be several.
_COUNTED: Final = tuple(kind for kind in COUNTS if kind != Kind.PAYMENT)


@click.command()
@state_option
@json_option
@issuer_key_option
@click.option(
    "--database", metavar="URL", envvar=_DATABASE,
    help="Of the meters: postgresql+psycopg://user@host/name; SQLite in the folder without it.",
)  # fmt: skip
@_counts
@module_options
@click.option("--value-kind", default="eur-cent", show_default=True, help="What meters count, and in which unit.")
@kind_options
@click.option(
    "--deposit",
    type=click.IntRange(0, AMOUNT_LIMIT),
    default=0,
    show_default=True,
    help="The least that is loaded at once.",
)
@click.option(
    "--fee", type=click.IntRange(0, AMOUNT_LIMIT), default=0, show_default=True,
    help="What signing up costs; it goes with a meter's first payment.",
)  # fmt: skip
@click.option(
    "--keep-keys", type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the vendor's and the post's key, which else only the steel boxes have.",
)  # fmt: skip
@pass_cli
def init(
    cli: Cli, /, state: Path, issuer_key: Path | None, database: str | None, value_kind: str, deposit: int,
    fee: int, keep_keys: Path | None, **more: Any,
) -> None:  # fmt: skip
    """Make a data centre in the office's folder: boxes, servers, keys, passes, the meters' database.

    Cut off in the middle, the same command goes on.
    """
    counts = dict(COUNTS) | {kind: more[f"{kind.word}_count"] for kind in _COUNTED}
    if counts[Kind.DATABASE] > 1 and database is None:
        raise UsageError("SQLite has one database server", "several need PostgreSQL", "the same with --database URL")
    module = Module(more["pkcs11"], more["pkcs11_token"], more["pkcs11_pin_file"])
    kind = new_kind(value_kind, more)
    plan = Plan(kind, counts, database, module.place(), module.kept(), keep_keys, deposit, fee)
    try:
        with cli.issuing(state, issuer_key) as issuing, cli.office(state) as office:
            if more["rates"]:
                with office.database.read() as session:
                    check_released(session, kind.programs, _NOT_MADE)
            folder = make_centre(office, issuing, plan)
            with office.database.read() as session:
                warn_of_lacking(cli, session, kind.programs)
    except SQLAlchemyError as error:
        raise OperatorError(_NOT_MADE, *why_and_command(error)) from None
    if cli.is_json:
        cli.data({"centre": str(folder), "processes": sum(counts.values()) + 1, "value_kinds": [value_kind]})
        return
    cli.fields({
        "data centre": folder,
        "processes": sum(counts.values()) + 1,
        "value kinds": [value_kind],
        "owners' keys": keep_keys or "in the steel boxes only",
    })  # fmt: skip
    cli.say(f"next:  fob-office run --state {state}    (office and data centre)")

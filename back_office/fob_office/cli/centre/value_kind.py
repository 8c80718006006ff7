"""`fob-office centre value-kind`: what meters count (M32)."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from fob_office.centre.founding.telling import validation_key
from fob_office.centre.operating import changing
from fob_office.centre.operating.operator import Operator
from fob_office.centre.places import KindSettings, centre_folder, load_centre
from fob_office.cli.centre.asking import ask
from fob_office.cli.centre.options import kept_options, kind_options, new_kind
from fob_office.cli.centre.released import check_released, warn_of_lacking
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_protocol.metering.kinds import Freshness


@click.group()
def value_kind() -> None:
    """Value kinds: what meters count, and in which unit."""


@value_kind.command("list")
@state_option
@json_option
@pass_cli
def list_(cli: Cli, state: Path) -> None:
    """All of them, and how a new meter begins."""
    kinds = load_centre(centre_folder(state)).value_kinds
    cli.table([
        {
            "name": name, "key_version": kind.version, "freshness": Freshness(kind.freshness).name.lower(),
            "most_for_a_piece": kind.piece, "most_for_a_day": kind.daily, "credit": kind.credit,
            "public_tokens": kind.is_public,
        }
        for name, kind in kinds.items()
    ])  # fmt: skip


@value_kind.command()
@state_option
@kind_options
@click.option(
    "--keep-keys", type=click.Path(path_type=Path, file_okay=False), help="Folder for the vendor's and the post's key."
)
@click.argument("name")
@pass_cli
def add(cli: Cli, /, state: Path, name: str, keep_keys: Path | None, **more: Any) -> None:
    """One more; or one that there is, with new keys, and the rules that are said for new meters.

    What is not said of one that there is stays. Function servers start anew.
    """
    not_added = f"value kind {name} was not added"
    before = load_centre(centre_folder(state)).value_kinds.get(name)
    kind = new_kind(name, more if before is None else more | _unsaid(before), is_known=before is not None)
    with cli.office(state) as office, office.database.read() as session:
        key = validation_key(session)
        if more["rates"]:
            check_released(session, kind.programs, not_added)

    async def work(operator: Operator) -> None:
        await changing.begin_kind(operator, kind, key, keep_keys)

    ask(cli, state, not_added, work)
    with cli.office(state) as office, office.database.read() as session:
        warn_of_lacking(cli, session, kind.programs)
    if before is None:
        cli.say(f"added {name}")
    else:
        cli.say(f"new keys for {name}; how new meters begin: fob-office centre value-kind list")


def _unsaid(before: KindSettings) -> dict[str, Any]:
    """Of the options that this command was not given, what there is."""
    source = click.get_current_context().get_parameter_source
    return {name: kept for name, kept in kept_options(before).items() if source(name) == ParameterSource.DEFAULT}

"""`fob-office event`: what was done."""

import shlex
from pathlib import Path

import click
from click.core import ParameterSource

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.events.service import ENDLESS, events_after, events_before
from fob_office.events.views import EventView
from fob_office.paging import PAGE


@click.group()
def event() -> None:
    """What was done at the office: who, what, when."""


@event.command("list")
@state_option
@json_option
@click.option("--after", type=click.IntRange(0, ENDLESS), help="Those behind this id; without it the newest.")
@click.option("--before", type=click.IntRange(1, ENDLESS), help="Of the newest those before this id.")
@click.option("--count", type=click.IntRange(1, PAGE), default=PAGE, show_default=True, help="At most so many.")
@pass_cli
def list_(cli: Cli, state: Path, after: int | None, before: int | None, count: int) -> None:
    """The newest, the last one at the end."""
    if after is not None and before is not None:
        raise click.UsageError("say --after or --before")
    with cli.office(state) as office, office.database.read() as session:
        if after is not None:
            found = events_after(session, after, count + 1)
            shown = found[:count]
        else:
            found = events_before(session, ENDLESS if before is None else before, count + 1)
            shown = found[:count][::-1]
        cli.table([EventView.model_validate(row).model_dump() for row in shown])
    if len(found) > count:
        more = f"--after {shown[-1].id}" if after is not None else f"--before {shown[0].id}"
        options = f"{more} --count {count}" if count != PAGE else more
        cli.say(f"more:  fob-office event list {options}{_state_said()}")


def _state_said() -> str:
    """As it was given on this command line: without it the next command would look elsewhere."""
    context = click.get_current_context()
    if context.get_parameter_source("state") is not ParameterSource.COMMANDLINE:
        return ""
    return f" --state {shlex.quote(str(context.params['state']))}"

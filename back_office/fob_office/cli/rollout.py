"""`fob-office rollout`: a release for many devices, group by group."""

from pathlib import Path

import click

from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.device import WHO
from fob_office.components.versions import parse
from fob_office.errors import UsageError
from fob_office.rollout import service
from fob_office.rollout.views import GROUPS_LIMIT, rollout_details, rollout_views
from fob_protocol.office.component import words

_PERCENT = click.IntRange(0, 100)


@click.group()
def rollout() -> None:
    """Rollouts: groups of devices, and what makes them pause."""


@rollout.command()
@state_option
@click.option(
    "--groups", default=",".join(map(str, service.SHARES)), show_default=True,
    help="Percents of all devices that are reached with each group.",
)  # fmt: skip
@click.option("--threshold", type=_PERCENT, default=service.THRESHOLD, show_default=True, help="Failed ones: pause.")
@click.option("--enough", type=_PERCENT, default=service.ENOUGH, show_default=True, help="Reports before the next.")
@click.option("--automatic", is_flag=True, help="Groups start by themselves.")
@click.argument("name")
@click.argument("component")
@click.argument("version")
@pass_cli
def create(
    cli: Cli,
    state: Path,
    name: str,
    component: str,
    version: str,
    groups: str,
    threshold: int,
    enough: int,
    automatic: bool,
) -> None:
    """Plan a rollout of a release that was added with --staged."""
    course = service.Course(_shares(groups), threshold, enough, automatic)
    with cli.office(state) as office:
        service.create_rollout(office, name, component, parse(version), course, WHO)
    cli.say(f"created {name}")
    cli.say(f"next:  fob-office rollout start {name}")


@rollout.command()
@state_option
@click.option("--anyway", is_flag=True, help="Also before the group before has reported.")
@click.argument("name")
@pass_cli
def start(cli: Cli, state: Path, name: str, anyway: bool) -> None:
    """Start the first group, or the next one."""
    with cli.office(state) as office:
        service.start_rollout(office, name, WHO, anyway=anyway)
    cli.say(f"started a group of {name}")


@rollout.command()
@state_option
@click.argument("name")
@pass_cli
def pause(cli: Cli, state: Path, name: str) -> None:
    """Nobody new gets it."""
    with cli.office(state) as office:
        service.pause_rollout(office, name, WHO)
    cli.say(f"paused {name}")


@rollout.command()
@state_option
@click.argument("name")
@pass_cli
def resume(cli: Cli, state: Path, name: str) -> None:
    """Go on; what has failed so far pauses nothing again."""
    with cli.office(state) as office:
        service.resume_rollout(office, name, WHO)
    cli.say(f"resumed {name}")


@rollout.command()
@state_option
@click.argument("name")
@pass_cli
def stop(cli: Cli, state: Path, name: str) -> None:
    """Emergency stop: nobody gets it any more, and the version before is given out under a higher number."""
    with cli.office(state) as office:
        replacement = service.stop_rollout(office, name, WHO)
    instead = f"given out instead: {words(replacement)}" if replacement else "nothing is given out instead"
    cli.say(f"stopped {name}; {instead}")


@rollout.command("list")
@state_option
@json_option
@pass_cli
def list_(cli: Cli, state: Path) -> None:
    """All rollouts."""
    with cli.office(state) as office, office.database.read() as session:
        shown = [view.model_dump() for view in rollout_views(session)]
    cli.table(shown if cli.is_json else [{**one, "groups": len(one["groups"])} for one in shown])


@rollout.command()
@state_option
@json_option
@click.argument("name")
@pass_cli
def show(cli: Cli, state: Path, name: str) -> None:
    """One rollout, with its groups, and the devices at which it failed last."""
    with cli.office(state) as office, office.database.read() as session:
        shown = rollout_details(session, name).model_dump()
    if cli.is_json:
        cli.fields(shown)
    else:
        groups, failures = shown.pop("groups"), shown.pop("failures")
        cli.fields(shown | {"paused_by": shown["paused_by"] or "nobody"})
        cli.table(groups)
        cli.table(failures)


def _shares(told: str) -> tuple[int, ...]:
    """Raises UsageError."""
    shares = told.split(",")
    if len(shares) > GROUPS_LIMIT or not all(
        share.isascii() and share.isdigit() and len(share) < 4 for share in shares
    ):
        why = f"they are at most {GROUPS_LIMIT} numbers, as 1,10,50,100"
        raise UsageError("these are no groups", why, "fob-office rollout create --help")
    return tuple(map(int, shares))

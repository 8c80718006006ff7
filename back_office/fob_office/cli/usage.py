"""`fob-office usage`: how copies are used, and what is odd about it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast, get_args

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from fob_office.cli.context import Cli, json_option, page_options, pass_cli, state_option
from fob_office.cli.copy import number_argument
from fob_office.cli.device import WHO
from fob_office.cli.values import octets
from fob_office.distribution.operating import copy_of
from fob_office.errors import UsageError
from fob_office.watching import findings as finding_service
from fob_office.watching.findings import Which, findings_after
from fob_office.watching.parameters import TOLD, Severity
from fob_office.watching.rounds import look
from fob_office.watching.rules import RULES, RuleName
from fob_office.watching.settings import LIST, Change, Setting, all_settings, change_rule, reset_rule
from fob_office.watching.usage import bars, usages
from fob_office.watching.views import finding_view, rule_view, usage_view

_COLUMNS: Final = ("id", "program", "number", "rule", "severity", "last", "times", "why", "acknowledged_by")


@click.group()
def usage() -> None:
    """Usage of copies: what is looked for, and what was found."""


@usage.command()
@state_option
@json_option
@pass_cli
def rules(cli: Cli, state: Path) -> None:
    """How each rule stands: for all programs, and for those where it stands otherwise."""
    with cli.office(state) as office, office.database.read() as session:
        settings = all_settings(session)
    cli.table([_row(setting, is_json=cli.is_json) for setting in settings])


@usage.group(name="set")
def set_() -> None:
    """Change a rule; what is not said stays as it is."""


@usage.command()
@state_option
@click.option("--program", help="What was changed for this one; without it, for all.")
@click.argument("rule", type=click.Choice(list(RULES)))
@pass_cli
def reset(cli: Cli, state: Path, rule: str, program: str | None) -> None:
    """Take back what was changed of a rule."""
    with cli.office(state) as office:
        reset_rule(office, cast(RuleName, rule), program, WHO)
    cli.say(f"reset {rule}")


@usage.command()
@state_option
@json_option
@click.option("--open", "is_open", is_flag=True, help="Only those that nobody has acknowledged.")
@click.option("--copy", callback=octets(16), metavar="COPY", help="Only of this one.")
@page_options
@pass_cli
def findings(cli: Cli, state: Path, is_open: bool, copy: bytes | None, after: int, count: int) -> None:
    """What was found, oldest first."""
    with cli.office(state) as office:
        # As an office that runs does once a minute.
        look(office)
        with office.database.read() as session:
            found = findings_after(session, after, Which(is_open, copy), count)
    rows = [finding_view(*one).model_dump() for one in found]
    cli.table(rows if cli.is_json else [{column: row[column] for column in _COLUMNS} for row in rows])


@usage.command()
@state_option
@click.argument("finding", type=click.IntRange(1), metavar="ID")
@pass_cli
def acknowledge(cli: Cli, state: Path, finding: int) -> None:
    """Say that a finding was seen; the rule may find the copy again from now on."""
    with cli.office(state) as office:
        finding_service.acknowledge(office, finding, WHO)
    cli.say(f"acknowledged {finding}")


@usage.command()
@state_option
@json_option
@number_argument
@pass_cli
def show(cli: Cli, state: Path, number: bytes) -> None:
    """How a copy was used in the last 28 days, by day and by hour (UTC)."""
    with cli.office(state) as office, office.database.read() as session:
        copy = copy_of(session, number)
        used = usages(session, [copy.id], office.now())[copy.id]
    view = usage_view(copy, used)
    if cli.is_json:
        cli.data(view.model_dump())
        return
    cli.fields({
        "copy": view.number, "program": view.program,
        "days": f"{bars(used.per_day)}  {used.date(0)} to {used.date(len(used.days) - 1)}",
        "hours": f"{bars(used.per_hour)}  00:00 to 23:59",
        "validations": sum(used.per_day), "busiest day": max(used.per_day),
    })  # fmt: skip


def _row(setting: Setting, *, is_json: bool) -> dict[str, object]:
    view = rule_view(setting).model_dump()
    if is_json:
        return view
    told = setting.parameters.model_dump(exclude={"rule"})
    return {
        "rule": setting.rule, "program": setting.program or "all", "on": "on" if setting.is_on else "off",
        "severity": setting.severity, "parameters": " ".join(f"--{name} {value}" for name, value in told.items()),
    }  # fmt: skip


def _add_set(rule: RuleName) -> None:
    """One command for each rule, with an option for each of its parameters."""

    def change(
        cli: Cli, state: Path, program: str | None, is_on: bool | None, severity: Severity | None, **told: Any
    ) -> None:
        said = {name: value for name, value in told.items() if value is not None}
        try:
            parameters = TOLD.validate_python({"rule": rule} | said)
        except ValidationError as error:
            first = error.errors()[0]
            why = f"--{first['loc'][-1]}: {first['msg']}"
            raise UsageError(f"{rule} was not changed", why, f"fob-office usage set {rule} --help") from None
        known = {name: getattr(parameters, name) for name in said}
        with cli.office(state) as office:
            setting = change_rule(office, Change(rule, program, is_on, severity, known), WHO)
        cli.say(f"changed {rule}; all rules: {LIST}")
        cli.fields(_row(setting, is_json=cli.is_json))

    made: Callable[..., Any] = pass_cli(change)
    for name, field in reversed(type(RULES[rule].parameters).model_fields.items()):
        if name != "rule":
            made = click.option(f"--{name}", type=field.annotation, help=_help(field, name, rule))(made)
    made = click.option("--severity", type=click.Choice(get_args(Severity)))(made)
    made = click.option("--on/--off", "is_on", default=None, help="Whether it is looked for.")(made)
    made = click.option("--program", help="Only for this one.")(made)
    told = type(RULES[rule].parameters).__doc__
    set_.command(rule, help=told)(json_option(state_option(made)))


def _help(field: FieldInfo, name: str, rule: RuleName) -> str:
    return f"{field.description or 'An hour.'} {getattr(RULES[rule].parameters, name)} at first."


for _rule in RULES:
    _add_set(_rule)

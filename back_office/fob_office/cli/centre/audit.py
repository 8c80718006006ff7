"""`fob-office centre audit`."""

from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from fob_office.centre.auditing.audit import Audited
from fob_office.centre.database.tables import METERS
from fob_office.centre.operating.auditing import audit_centre
from fob_office.centre.operating.operator import Operator
from fob_office.cli.centre.asking import ask
from fob_office.cli.context import Cli, json_option, pass_cli, state_option
from fob_office.cli.progress import progress
from fob_office.errors import USAGE, OperatorError

_NOT_AUDITED: Final = "the tables were not audited"
_FOUND: Final = 1
# Meters whose command is written out.
_NAMED: Final = 3


@click.command()
@state_option
@json_option
@pass_cli
def audit(cli: Cli, state: Path) -> int:
    """Hold every row and column of the meters' database against the log; `fob-log-verify` looks at the log itself.

    Exit status 0: all is well; 1: something was found; 2: it could not be found out.
    """

    async def work(operator: Operator) -> Audited:
        return await audit_centre(operator, progress)

    try:
        audited = ask(cli, state, _NOT_AUDITED, work)
    except OperatorError as error:
        error.exit_code = USAGE
        raise
    _show(cli, audited)
    return _FOUND if audited.findings.count else 0


def _show(cli: Cli, audited: Audited) -> None:
    found = [asdict(finding) for finding in audited.findings.shown]
    if cli.is_json:
        cli.data({
            "entries": audited.entries, "rows": audited.rows, "findings": found,
            "findings_count": audited.findings.count, "is_compared": audited.is_compared,
            "is_well": not audited.findings.count,
        })  # fmt: skip
        return
    cli.fields({"entries": audited.entries, **audited.rows})
    if found:
        cli.line("")
        cli.table([{name: value or "-" for name, value in finding.items()} for finding in found])
    if (more := audited.findings.count - len(found)) > 0:
        cli.say(f"and {more} more")
    if not audited.is_compared:
        cli.say("the log itself is damaged: nothing could be held against it")
    if not audited.findings.count:
        cli.say("all is well")
        return
    cli.say("something does not fit the log")
    for command in _helps(audited):
        cli.say(f"try: {command}")


def _helps(audited: Audited) -> list[str]:
    """A meter's row is made anew of the log; what else was changed is put back as it was."""
    shown = audited.findings.shown
    serials = dict.fromkeys(finding.key for finding in shown if finding.table == METERS.name)
    helps = [f"fob-office centre meter recover {serial}" for serial in list(serials)[:_NAMED]]
    if audited.findings.count > sum(finding.table == METERS.name for finding in shown):
        helps.append("put a backup of the meters' database back, as docs/office.md says")
    return helps

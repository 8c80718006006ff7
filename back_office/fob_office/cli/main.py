"""Finds the command, runs it, and turns every way it can end into three lines and an exit status."""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import Final

import click
from sqlalchemy.exc import SQLAlchemyError

from fob_office.cli.context import Cli
from fob_office.database.troubles import of_system, why_and_command
from fob_office.errors import FAILED, USAGE, OperatorError, UsageError
from fob_office.secrets.sealing import UnsealError

PROGRAM: Final = "fob-office"
INTERRUPTED: Final = 130

# By name: the module of this package that has it. Loaded when it is needed.
COMMANDS: Final = {
    "init": "init",
    "run": "run",
    "migrate": "migrate",
    "backup": "backup",
    "token": "token",
    "issuer": "issuer",
    "server": "server",
    "device": "device",
    "order": "order",
    "component": "component",
    "rollout": "rollout",
    "program": "program",
    "copy": "copy",
    "validation": "validation",
    "usage": "usage",
    "registration": "registration",
    "template": "template",
    "entitlement": "entitlement",
    "event": "event",
    "centre": "centre.group",
    "verify": "verify",
}


class LazyGroup(click.Group):
    """The commands of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which an operator meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"fob_office.cli.{COMMANDS[cmd_name]}"), cmd_name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fobd", prog_name=PROGRAM)
def cli() -> None:
    """The back office: what phones register with, and are configured by."""


def main() -> None:
    """The `fob-office` program."""
    sys.exit(run(sys.argv[1:], Cli()))


def run(arguments: Sequence[str], context: Cli) -> int:
    """Run one command; the exit status."""
    try:
        status = cli.main(list(arguments), PROGRAM, standalone_mode=False, obj=context)
    except click.exceptions.NoArgsIsHelpError as no_arguments:
        no_arguments.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception as fault:  # nobody wants to read a traceback
        error = error_for(fault)
        click.echo(error.lines, err=True)
        return error.exit_code
    return status if isinstance(status, int) else 0


def error_for(fault: Exception) -> OperatorError:
    """What the operator is told. A fault of this program names its place, and no value."""
    match fault:
        case OperatorError():
            return fault
        case click.ClickException():
            return _usage_error(fault)
        case UnsealError():
            return OperatorError("a secret cannot be read", str(fault), "restore key and database of one backup")
        case SQLAlchemyError():
            return OperatorError("the database did not do it", *why_and_command(fault))
        case OSError():
            why, command = of_system(fault)
            return OperatorError(f"{PROGRAM} could not go on", why, command or f"{PROGRAM} --help")
    frames = extract_tb(fault.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    why = f"a fault in this program: {type(fault).__name__}{place}"
    return OperatorError(f"{PROGRAM} could not go on", why, f"{PROGRAM} --version")


def _usage_error(fault: click.ClickException) -> OperatorError:
    what = " ".join(fault.format_message().split())
    context = getattr(fault, "ctx", None)
    usage = context.get_usage().removeprefix("Usage: ") if context else f"{PROGRAM} COMMAND"
    path = context.command_path if context else PROGRAM
    error = UsageError(what, f"the usage is: {' '.join(usage.split())}", f"{path} --help")
    error.exit_code = USAGE if fault.exit_code == USAGE else FAILED
    return error

"""`fob`: finds the command, runs it, and turns every way it can end into an exit code (docs/cli.md)."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from itertools import takewhile
from typing import Any, Final

import click

from fob_daemon.cli.completing import COMPLETION_VARIABLE
from fob_daemon.cli.context import JSON_OPTION, Fob, json_option
from fob_daemon.cli.endings import PROGRAM, error_for, reader_gone
from fob_daemon.cli.output import ReaderGoneError, give_up_what_cannot_be_written, take_every_character
from fob_daemon.control.errors import ExitCode

# Each command's module is loaded when it is needed: `fob status` must not pay for the others.
COMMANDS: Final = {
    "pair": "pair",
    "setup": "setup",
    "unpair": "devices",
    "devices": "devices",
    "status": "devices",
    "keys": "keys",
    "unlock": "unlock",
    "lock": "unlock",
    "p11": "p11",
    "ssh": "ssh",
    "git": "git",
    "log": "log",
    "approvals": "approvals",
    "office": "office",
    "options": "options",
    "integrity": "integrity",
    "ticket": "ticket",
    "meter": "meter",
    "monitor": "monitor",
    "metrics": "metrics",
    "doctor": "doctor",
    "demo": "demo",
    "completion": "completion",
}


class LazyGroup(click.Group):
    """The commands of COMMANDS; one whose module is not installed does not exist."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return [name for name in COMMANDS if _module(name) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        module = _module(cmd_name)
        if module is None:
            return None
        command: click.Command = getattr(import_module(module), cmd_name)
        return command

    # Before click itself sees that nobody reads, and ends with an exit code of its own.

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """The help of all is printed here. Raises ReaderGoneError."""
        with reader_gone():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """A command, with its help. Raises ReaderGoneError."""
        with reader_gone():
            return super().invoke(ctx)


def _module(name: str) -> str | None:
    if name not in COMMANDS:
        return None
    module = f"fob_daemon.cli.{COMMANDS[name]}"
    return module if find_spec(module) is not None else None


def _print_version(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"{PROGRAM} {version('fobd')}")
        context.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="The version."
)
@json_option
@click.pass_context
def cli(context: click.Context) -> None:
    """The phone in your hand is the crypto token of this PC.

    Exit codes: 0 ok, 1 failed, 2 usage, 3 daemon unreachable, 4 no device, 5 rejected on the phone, 6 timeout,
    7 nothing to do, 130 interrupted, 141 nobody reads the output.
    """
    context.ensure_object(Fob)


def main() -> None:
    """The `fob` program."""
    take_every_character()
    try:
        status = run(sys.argv[1:], Fob())
    finally:
        give_up_what_cannot_be_written()
    sys.exit(status)


def run(arguments: Sequence[str], fob: Fob) -> int:
    """Run one command; the exit status."""
    try:
        with reader_gone():
            status = cli.main(list(arguments), PROGRAM, COMPLETION_VARIABLE, standalone_mode=False, obj=fob)
    except ReaderGoneError:
        return ExitCode.READER_GONE
    except click.exceptions.NoArgsIsHelpError as no_arguments:
        # Narration, as every other word about how to use it.
        with suppress(OSError):
            no_arguments.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, Exception) as reason:  # nobody wants to read a traceback
        if isinstance(reason, click.UsageError) and _asks_for_json(arguments):
            fob.output.is_json = True
        error = error_for(reason)
        fob.output.error(error)
        return error.exit_code
    return status if isinstance(status, int) else ExitCode.OK


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Where click came to a fault before it came to the option; behind `--` it is another program's."""
    return JSON_OPTION in takewhile(lambda word: word != "--", arguments)


if __name__ == "__main__":
    main()

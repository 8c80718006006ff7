"""`fob`: finds the command, runs it, and turns every way it can end into an exit code (docs/cli.md)."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Final

import click

from fob_daemon.cli.context import Fob, json_option
from fob_daemon.control.errors import ControlError, ExitCode

# Each command's module is loaded when it is needed: `fob status` must not pay for the others.
COMMANDS: Final = {
    "pair": "pair",
    "unpair": "devices",
    "devices": "devices",
    "status": "devices",
    "keys": "keys",
    "unlock": "unlock",
    "lock": "unlock",
    "p11": "p11",
    "ssh": "ssh",
    "log": "log",
    "doctor": "doctor",
    "demo": "demo",
    "completion": "completion",
}
PROGRAM: Final = "fob"
COMPLETION_VARIABLE: Final = "_FOB_COMPLETE"

# 128 + SIGINT, as shells count.
INTERRUPTED: Final = 130


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
    7 nothing to do.
    """
    context.ensure_object(Fob)


def main() -> None:
    """The `fob` program."""
    sys.exit(run(sys.argv[1:], Fob()))


def run(arguments: Sequence[str], fob: Fob) -> int:
    """Run one command; the exit status."""
    try:
        status = cli.main(list(arguments), PROGRAM, COMPLETION_VARIABLE, standalone_mode=False, obj=fob)
    except ControlError as error:
        fob.output.error(error)
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except click.UsageError as error:
        fob.output.error(_usage_error(error))
        return ExitCode.USAGE
    except click.ClickException as error:
        fob.output.error(ControlError(error.format_message(), "click could not go on", f"{PROGRAM} --help"))
        return ExitCode.FAILED
    except (click.Abort, KeyboardInterrupt):
        fob.output.say("interrupted")
        return INTERRUPTED
    return status if isinstance(status, int) else ExitCode.OK


def _usage_error(error: click.UsageError) -> ControlError:
    context = error.ctx
    usage = context.get_usage().removeprefix("Usage: ") if context else f"{PROGRAM} COMMAND"
    command = context.command_path if context else PROGRAM
    what = error.format_message().replace("\n", " ").strip()
    return ControlError(what, f"the usage is: {' '.join(usage.split())}", f"{command} --help", ExitCode.USAGE)


if __name__ == "__main__":
    main()

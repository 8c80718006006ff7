"""`fob completion`: what a shell sources to complete commands and options."""

import click
from click.shell_completion import get_completion_class

from fob_daemon.cli.completing import COMPLETION_VARIABLE
from fob_daemon.cli.context import Fob
from fob_daemon.cli.endings import PROGRAM


@click.command(short_help="Print what a shell sources to complete commands.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def completion(fob: Fob, shell: str) -> None:
    """Print the completion script for SHELL: commands, options, and the names of devices, keys and grants.

    For bash: fob completion bash > ~/.local/share/bash-completion/completions/fob
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise click.UsageError(f"no completion for {shell}")
    command = click.get_current_context().find_root().command
    fob.output.text(completer(command, {}, PROGRAM, COMPLETION_VARIABLE).source())

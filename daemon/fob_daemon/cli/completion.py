"""`fob completion`: what a shell sources to complete commands and options."""

import click
from click.shell_completion import get_completion_class

from fob_daemon.cli.main import COMPLETION_VARIABLE, PROGRAM


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    For bash: fob completion bash > ~/.local/share/bash-completion/completions/fob
    """
    completer = get_completion_class(shell)
    if completer is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(completer(context.find_root().command, {}, PROGRAM, COMPLETION_VARIABLE).source())

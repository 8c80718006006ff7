"""The commands of `fob-office centre`, each loaded when it is needed."""

from importlib import import_module
from typing import Final

import click

COMMANDS: Final = {
    "init": "making",
    "run": "running",
    "migrate": "migrating",
    "status": "status",
    "warnings": "warnings",
    "audit": "audit",
    "meter": "meter",
    "card": "card",
    "box": "box",
    "value-kind": "value_kind",
    "terms": "terms",
    "log": "log",
    "renew": "renew",
    "restore": "restore",
    "process": "process",
    "keys": "keys",
}


class LazyCentre(click.Group):
    """The commands of COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which an operator meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"fob_office.cli.centre.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command


@click.group(cls=LazyCentre)
def centre() -> None:
    """A data centre that keeps meters: its boxes and servers (docs/meter-protocol.md)."""

"""`fob meter`: sign up, pay, frank and print with the mailer's meter, which the device is the token of."""

from importlib import import_module
from typing import Any, Final

import click

# Each command's module is loaded when it is needed: what draws takes its time.
_COMMANDS: Final = {
    "terms": ("account", "terms_command"),
    "sign-up": ("account", "sign_up_command"),
    "sign-on": ("account", "sign_on_command"),
    "status": ("account", "status_command"),
    "refill": ("paying", "refill_command"),
    "frank": ("frank", "frank_command"),
    "print": ("printing", "print_command"),
    "verify": ("verifying", "verify_command"),
    "refund": ("paying", "refund_command"),
    "history": ("account", "history_command"),
    "take-over": ("paying", "take_over_command"),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a person meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: Any = getattr(import_module(f"fob_daemon.cli.metering.{module}"), name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=_Commands, short_help="Buy postage, and print the labels.")
def meter() -> None:
    """Postage, or whatever else is metered: a data centre keeps the meter, and the device is the token for it.

    The device shows each amount, its person says yes, and it believes the data centre nothing that it has not checked.
    """

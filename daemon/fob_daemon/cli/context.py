"""What every command is given: the daemon's client, the output, the paths."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

import click

from fob_daemon.cli.client import Client
from fob_daemon.cli.completing import complete_device
from fob_daemon.cli.output import Output
from fob_daemon.cli.starting import start_command
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.paths import Paths, daemon_paths

JSON_OPTION: Final = "--json"

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Fob:
    """One run of `fob`."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    # By where they came from: a command that asks more than once reads each once.
    pins: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.output = Output(colour="NO_COLOR" not in self.environment and self.environment.get("TERM") != "dumb")

    @cached_property
    def paths(self) -> Paths:
        """Where the daemon's sockets are. Raises ControlError."""
        try:
            return daemon_paths(self.environment)
        except RuntimeError:
            raise ControlError(
                "where the daemon is, is not known", "this user has no home folder", "HOME=FOLDER fob status"
            ) from None

    @cached_property
    def client(self) -> Client:
        """Asks the daemon. Raises ControlError."""
        return Client(self.paths.control, start=start_command(self.environment))

    def devices(self) -> list[dict[str, Any]]:
        """The paired devices. Raises ControlError."""
        devices: list[dict[str, Any]] = self.client.get("devices")["devices"]
        return devices

    def device(self, name: str | None) -> dict[str, Any]:
        """The device of that name, or the only one there is. Raises ControlError."""
        devices = self.devices()
        found = [device for device in devices if name in (None, device["name"])]
        if len(found) == 1:
            return found[0]
        if not devices:
            raise ControlError(
                "there is no device", "none is paired with this computer", "fob pair URL", ExitCode.NO_DEVICE
            )
        names = ", ".join(f"'{device['name']}'" for device in devices)
        if not found:
            raise ControlError(f"no device is called '{name}'", f"there are {names}", "fob devices", ExitCode.NO_DEVICE)
        raise ControlError("which device?", f"there are {names}", "the same command with --device", ExitCode.USAGE)


def _set_json(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.find_root().ensure_object(Fob).output.is_json = True


def json_option(command: Command) -> Command:
    """`--json`, before the command or behind it."""
    return click.option(
        JSON_OPTION,
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_set_json,
        help="Print JSON for a script.",
    )(command)


device_option = click.option(
    "--device",
    metavar="NAME",
    shell_complete=complete_device,
    help="Which device; not needed when there is one.",
)

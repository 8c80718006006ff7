"""Where programs connect: what the daemon says, or where it would listen when it is not running."""

from collections.abc import Sequence
from dataclasses import dataclass

from fob_daemon.cli.agent_logins import phones_to_unlock
from fob_daemon.cli.context import Fob
from fob_daemon.control.errors import ControlError, ExitCode


@dataclass(frozen=True, slots=True)
class DaemonSockets:
    """Paths of the sockets for programs; and the phones that the one for ssh cannot use yet."""

    provider: str
    agent: str
    to_unlock: Sequence[str] = ()


def daemon_sockets(fob: Fob) -> DaemonSockets:
    """Never fails for want of a daemon: a login shell may ask before it runs. Raises ControlError for other reasons."""
    try:
        status = fob.client.get("status")
    except ControlError as error:
        if error.exit_code is not ExitCode.UNREACHABLE:
            raise
        return DaemonSockets(str(fob.paths.provider), str(fob.paths.agent))
    return DaemonSockets(status["provider_socket"], status["agent_socket"], phones_to_unlock(status))

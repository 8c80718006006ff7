"""ssh's configuration: does it lead to the phone's agent?"""

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Write
from fob_daemon.cli.programs import output_of
from fob_daemon.cli.setting_up.ssh import can_be_written, ssh_changes

# No host has this name (RFC 2606, section 2), so only what holds for all of them is found.
ANY_HOST: Final = "host.invalid"
_KEY: Final = "identityagent "
# ssh_config(5): what SSH_AUTH_SOCK says.
_BY_VARIABLE: Final = ("SSH_AUTH_SOCK", "$SSH_AUTH_SOCK")


def check_ssh(machine: Machine) -> Iterator[Finding]:
    """By ssh's own word, with all that it includes."""
    said = output_of(("ssh", *_configuration(machine), "-G", ANY_HOST), {**os.environ, **machine.environment})
    if said is None:
        yield Finding(Outcome.SKIP, "ssh", "it is not installed, or does not take its configuration")
        return
    agent = next((line.removeprefix(_KEY) for line in said.splitlines() if line.startswith(_KEY)), "")
    variable = machine.environment.get("SSH_AUTH_SOCK", "")
    asked = variable if agent in ("", *_BY_VARIABLE) else agent
    if asked == str(machine.agent):
        yield Finding(Outcome.OK, "ssh", "it asks the phone")
    elif not machine.agent.exists():
        yield Finding(Outcome.SKIP, "ssh", "the daemon does not listen")
    else:
        why = f"it asks {asked}" if asked else "it asks no agent"
        yield Finding(
            Outcome.WARN, "ssh does not ask the phone", why, "fob setup    (or: fob ssh config)",
            Write(tuple(ssh_changes(machine.person))) if can_be_written(machine.person) else None,
        )  # fmt: skip


def _configuration(machine: Machine) -> tuple[str, ...]:
    """ssh goes by the user's home in the password file, whatever HOME says."""
    home = Path(machine.environment.get("HOME", str(Path.home())))
    try:
        known = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        known = home
    config = home / ".ssh/config"
    return () if home == known else ("-F", str(config) if config.exists() else os.devnull)

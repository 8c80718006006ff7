"""ssh's configuration: does it lead to the phone's agent?"""

import os
import pwd
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Write
from fob_daemon.cli.programs import COMMAND_TIME, run_program
from fob_daemon.cli.setting_up.ssh import can_be_written, ssh_changes

# No host has this name (RFC 2606, section 2), so only what holds for all of them is found.
ANY_HOST: Final = "host.invalid"
# A host that is looked up and not found would look like a fault of the configuration.
_NO_LOOK_UP: Final = ("-o", "CanonicalizeHostname=no")
# One for each line that ssh does not take: the first say enough.
_LINES: Final = 3
_KEY: Final = "identityagent "
# ssh_config(5): what SSH_AUTH_SOCK says.
_BY_VARIABLE: Final = ("SSH_AUTH_SOCK", "$SSH_AUTH_SOCK")


def check_ssh(machine: Machine) -> Iterator[Finding]:
    """By ssh's own word, with all that it includes."""
    command = ("ssh", *_configuration(machine), *_NO_LOOK_UP, "-G", ANY_HOST)
    by_hand = shlex.join(("ssh", *_configuration(machine), "-G", "localhost"))
    try:
        done = run_program(command, {**os.environ, **machine.environment})
    except OSError:
        yield Finding(Outcome.SKIP, "ssh", "it is not installed")
    except subprocess.TimeoutExpired:
        what, why = "ssh does not end when it is asked for its configuration", f"no end in {COMMAND_TIME:.0f} s"
        yield Finding(Outcome.WARN, what, why, by_hand)
    else:
        if done.returncode == 0:
            yield _agent_asked(machine, done.stdout)
        else:
            why = "; ".join(done.stderr.splitlines()[:_LINES]) or f"it ended with {done.returncode}"
            yield Finding(Outcome.FAIL, "ssh does not take its configuration", why, by_hand)


def _agent_asked(machine: Machine, said: str) -> Finding:
    agent = next((line.removeprefix(_KEY) for line in said.splitlines() if line.startswith(_KEY)), "")
    variable = machine.environment.get("SSH_AUTH_SOCK", "")
    asked = variable if agent in ("", *_BY_VARIABLE) else agent
    if asked == str(machine.agent):
        return Finding(Outcome.OK, "ssh", "it asks the phone")
    if not machine.agent.exists():
        return Finding(Outcome.SKIP, "ssh", "the daemon does not listen")
    why = f"it asks {asked}" if asked else "it asks no agent"
    return Finding(
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

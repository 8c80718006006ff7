"""`fob ssh`: how ssh and git reach the agent socket."""

import shlex

import click

from fob_daemon.cli.context import Fob, json_option
from fob_daemon.cli.daemon_sockets import DaemonSockets, daemon_sockets


@click.group()
def ssh() -> None:
    """Use the phone's keys with ssh and git."""


@ssh.command("env", short_help="Print the line that points a shell's ssh at the phone.")
@json_option
@click.pass_obj
def env_command(fob: Fob) -> None:
    """Print the line that points this shell's ssh at the phone: eval "$(fob ssh env)"."""
    sockets = daemon_sockets(fob)
    if fob.output.is_json:
        fob.output.data({"SSH_AUTH_SOCK": sockets.agent})
        return
    fob.output.line(f"export SSH_AUTH_SOCK={shlex.quote(sockets.agent)}")
    _remind(fob, sockets)


@ssh.command("config")
@json_option
@click.pass_obj
def config_command(fob: Fob) -> None:
    """Print a snippet for ~/.ssh/config, and how git signs commits."""
    sockets = daemon_sockets(fob)
    if fob.output.is_json:
        fob.output.data({"IdentityAgent": sockets.agent})
        return
    fob.output.line("# ~/.ssh/config: every host, or put it under the Host lines you want")
    fob.output.line("Host *")
    fob.output.line(f"    IdentityAgent {quoted(sockets.agent)}")
    fob.output.say("git signs with it too: fob git enable")
    _remind(fob, sockets)


def _remind(fob: Fob, sockets: DaemonSockets) -> None:
    """ssh itself would only say that the agent refused."""
    for name in sockets.to_unlock:
        fob.output.say(f"ssh and git cannot use '{name}' yet: it has no PIN pad, and they ask for no PIN.")
        fob.output.say(f"try:   fob unlock --device {shlex.quote(name)}")


def quoted(path: str) -> str:
    """An argument of ssh_config(5), in which % begins a token."""
    return '"{}"'.format(path.replace("%", "%%"))

"""`fob setup`: all that a new user's programs need to find the phone, in one go; and back."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from fob_daemon.cli.changes.block import Block
from fob_daemon.cli.changes.change import Change, Standing, agree, make_all, show, to_json
from fob_daemon.cli.changes.folders import MadeFolders
from fob_daemon.cli.changes.link import Link
from fob_daemon.cli.changes.own_file import OwnFile
from fob_daemon.cli.completing import complete_key
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.daemon_sockets import daemon_sockets
from fob_daemon.cli.parameters import HOSTS, LABEL
from fob_daemon.cli.setting_up.person import Person
from fob_daemon.cli.setting_up.shells import changes_of_every_shell, shell_changes
from fob_daemon.cli.setting_up.ssh import EVERY_HOST, ssh_changes
from fob_daemon.cli.setting_up.systemd import listen, read_units, stop_listening, systemd_changes
from fob_daemon.cli.starting import BY_HAND, has_systemd
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.p11_kit import module_path, module_text

PARTS: Final = ("p11-kit", "ssh", "systemd", "shell")


@click.command(short_help="Make this computer's programs find the phone.")
@click.option("--git", "with_git", is_flag=True, help="Let git sign with the phone too; see `fob git enable`.")
@click.option(
    "--key", type=LABEL, shell_complete=complete_key, help="For --git: which key; not needed when there is one."
)
@click.option("--hosts", type=HOSTS, default=EVERY_HOST, show_default=True, help="Hosts for which ssh asks the phone.")
@click.option("--without", multiple=True, type=click.Choice(PARTS), help="Leave this part out; may be repeated.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--undo", is_flag=True, help="Take back all that was written.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@device_option
@json_option
@click.pass_obj
def setup(
    fob: Fob,
    with_git: bool,
    key: str | None,
    hosts: str,
    without: Sequence[str],
    dry_run: bool,
    undo: bool,
    yes: bool,
    device: str | None,
) -> None:
    """Make this computer's programs find the phone: every file is shown first, and asked about once.

    \b
    p11-kit   a module file, by which every PKCS#11 program sees the phone
    ssh       a line in ~/.ssh/config, by which ssh asks the phone's agent
    systemd   units of your own, by which the daemon is there when it is needed
    shell     SSH_AUTH_SOCK, where no other agent has set it

    Nothing of yours is overwritten, what is right already stays, and --undo puts everything back.
    """
    person = Person(fob.environment, os.getuid(), *_sockets(fob))
    parts = {name: build for name, build in _builders(person, hosts).items() if name not in without}
    if undo:
        # Also where no systemd runs any more, and for a shell that the person has left.
        whole: dict[str, Callable[[], Iterable[Change]]] = {
            "systemd": lambda: systemd_changes(person),
            "shell": lambda: changes_of_every_shell(person),
        }
        parts |= {name: build for name, build in whole.items() if name in parts}
        _undo(fob, [*_git_undoing(fob), *reversed([change for build in parts.values() for change in build()])])
        return
    changes = [change for build in parts.values() for change in _leading_to_ours(fob, list(build()))]
    changes += _git_changes(fob, key, device) if with_git else []
    if "systemd" in parts and not has_systemd(fob.environment):
        fob.output.say(f"left out: systemd, as none runs here: nothing starts the daemon but you.    try: {BY_HAND}")
    _set_up(fob, person, changes, dry_run=dry_run, yes=yes)


def _builders(person: Person, hosts: str) -> dict[str, Callable[[], Iterable[Change]]]:
    module = OwnFile(module_path(person.uid, person.environment), module_text(person.provider))
    return {
        "p11-kit": lambda: (module,),
        "ssh": lambda: ssh_changes(person, hosts),
        "systemd": lambda: systemd_changes(person) if has_systemd(person.environment) else (),
        "shell": lambda: shell_changes(person),
    }


def _leading_to_ours(fob: Fob, part: Sequence[Change]) -> Sequence[Change]:
    """Without the lines and links that would lead to a file of somebody else's."""
    if all(change.standing() is not Standing.FOREIGN for change in part if isinstance(change, OwnFile)):
        return part
    for change in part:
        if isinstance(change, Block | Link):
            fob.output.say(f"left out: {change.what}, as it would lead to a file that fob did not write")
    return [change for change in part if not isinstance(change, Block | Link)]


def _set_up(fob: Fob, person: Person, changes: Sequence[Change], *, dry_run: bool, yes: bool) -> None:
    described = [to_json(change) for change in changes]
    for change in changes:
        show(fob.output, change)
    if not any(entry["standing"] == Standing.DUE for entry in described):
        why = "every file is as it should be, or not fob's to change"
        raise ControlError("nothing was changed", why, "fob doctor", ExitCode.NOTHING_TO_DO)
    if person.other_agent:
        fob.output.say(f"ssh asks another agent now, {person.other_agent}; then it asks the phone's.")
        fob.output.say("       for some hosts only: fob setup --hosts 'github.com,*.example.org'")
    if dry_run:
        if fob.output.is_json:
            fob.output.data({"changes": described})
        return
    agree(fob, yes, "fob setup")
    with MadeFolders(fob.paths.state).noted([change.path for change in changes]):
        made = make_all(changes)
    _tell_what_follows(fob, made)
    if fob.output.is_json:
        fob.output.data({"changes": [entry for entry in described if entry["standing"] == Standing.DUE]})


def _tell_what_follows(fob: Fob, made: Sequence[Change]) -> None:
    if any(isinstance(change, Link) for change in made):
        _start(fob)
    fob.output.say("Done.    to go back: fob setup --undo")
    fob.output.say("try:   fob doctor")


def _start(fob: Fob) -> None:
    """The sockets, unless a daemon that somebody has started has them."""
    try:
        fob.client.get("status")
    except ControlError:
        if listen(fob.environment):
            fob.output.say("systemd listens for the daemon.")
        else:
            fob.output.say("systemd listens for the daemon from your next log-in on; until then: fobd &")
        return
    fob.output.say("The daemon that runs now goes on; from your next log-in on systemd starts it.")


def _undo(fob: Fob, changes: Sequence[Change]) -> None:
    is_service = any(isinstance(change, Link) and change.standing() is Standing.DONE for change in changes)
    if is_service:
        stop_listening(fob.environment)
    undone = [change.undone for change in changes if change.undo()]
    undone += [f"removed {folder}" for folder in MadeFolders(fob.paths.state).remove_empty()]
    if not undone:
        raise ControlError("nothing was changed", "fob setup has written nothing", "fob setup", ExitCode.NOTHING_TO_DO)
    if is_service:
        read_units(fob.environment)
    for words in undone:
        fob.output.say(f"{words}.")
    if fob.output.is_json:
        fob.output.data({"undone": undone})


def _git_changes(fob: Fob, key: str | None, device: str | None) -> Sequence[Change]:
    """As `fob git enable` makes them. Raises ControlError."""
    from fob_daemon.cli.git import global_changes

    return global_changes(fob, key, device)


def _git_undoing(fob: Fob) -> Sequence[Change]:
    """Where git was set up, by this or by `fob git enable`; where there is no git, there is nothing to undo."""
    from fob_daemon.cli.git_signing.git import Git
    from fob_daemon.cli.git_signing.plan import disabling
    from fob_daemon.cli.git_signing.record import Record
    from fob_daemon.cli.git_signing.scope import global_scope

    record = Record(fob.paths.state)
    scope = global_scope(fob.environment)
    if record.get(scope.config) is None:
        return ()
    return disabling(Git.here(fob.environment, Path.cwd()), scope, record)


def _sockets(fob: Fob) -> tuple[str, str]:
    sockets = daemon_sockets(fob)
    return sockets.provider, sockets.agent

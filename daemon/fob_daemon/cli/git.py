"""`fob git`: sign commits with the phone, prove that it works, and go back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.changes.change import Change, Standing, agree, make_all, show, to_json
from fob_daemon.cli.changes.folders import MadeFolders
from fob_daemon.cli.completing import complete_key
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.daemon_sockets import daemon_sockets
from fob_daemon.cli.git_signing.git import Git
from fob_daemon.cli.git_signing.plan import Signing, disabling, enabling
from fob_daemon.cli.git_signing.proof import NotSignedError, Proof, Setup, prove
from fob_daemon.cli.git_signing.record import Record
from fob_daemon.cli.git_signing.refusal import why_not_signed
from fob_daemon.cli.git_signing.scope import Scope, global_scope, local_scope
from fob_daemon.cli.keys import find_key, keys_of
from fob_daemon.cli.parameters import LABEL
from fob_daemon.control.errors import ControlError, ExitCode

local_option = click.option(
    "--local/--global", "is_local", default=False, help="Of this repository alone, or of all (as at first)."
)


@click.group()
def git() -> None:
    """Sign git commits with a key on the phone.

    Signing needs git 2.34 or newer. `enable` shows each change before it makes it; `disable` puts every file back as it
    was.
    """


@git.command("enable", short_help="Make git sign with a key of the phone.")
@local_option
@click.option(
    "--key",
    type=LABEL,
    shell_complete=complete_key,
    help="Which key, by its label or id; not needed when there is one.",
)
@click.option("--all/--asked", "every_commit", default=True, help="Sign every commit (as at first), or those with -S.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@device_option
@json_option
@click.pass_obj
def enable_command(
    fob: Fob, is_local: bool, key: str | None, every_commit: bool, yes: bool, device: str | None
) -> None:
    """Make git sign with a key of the phone, and check signatures with it.

    git finds the phone's agent from every shell and program, whatever SSH_AUTH_SOCK says there. Try it with
    `fob git test`.
    """
    runner = _git(fob)
    scope = _scope(runner, is_local)
    made = _carry_out(fob, _changes(fob, runner, scope, _public_key(fob, key, device), every_commit), yes)
    if fob.output.is_json:
        fob.output.data({"scope": scope.option, "changes": made})
        return
    fob.output.say(f"git signs with the phone.    to go back: fob git disable {scope.option}")
    fob.output.say("try:   fob git test")


@git.command("disable")
@local_option
@json_option
@click.pass_obj
def disable_command(fob: Fob, is_local: bool) -> None:
    """Put everything back as it was before `fob git enable`.

    A configuration file that was edited since keeps those edits; only fob's settings are taken out of it.
    """
    runner = _git(fob)
    scope = _scope(runner, is_local)
    undone = [change.undone for change in disabling(runner, scope, Record(fob.paths.state)) if change.undo()]
    undone += [f"removed {folder}" for folder in MadeFolders(fob.paths.state).remove_empty()]
    if not undone:
        why = f"fob has changed nothing in {scope.config}"
        raise ControlError("nothing was changed", why, f"fob git enable {scope.option}", ExitCode.NOTHING_TO_DO)
    if fob.output.is_json:
        fob.output.data({"scope": scope.option, "undone": undone})
    for words in undone:
        fob.output.say(f"{words}.")


@git.command("test", short_help="Sign a commit in a scratch repository, and check it.")
@json_option
@click.pass_obj
def test_command(fob: Fob) -> None:
    """Sign a commit in a scratch repository as git would here, and check it with git and with ssh-keygen."""
    setup = Setup.found(_git(fob))
    newest = fob.client.get("log", limit=1)["entries"]
    fob.output.say("Look at your phone in case it asks: git signs a commit ...")
    try:
        with asks_shown(fob):
            proof = prove(_git(fob), setup)
    except NotSignedError as error:
        raise why_not_signed(fob, setup.key, newest[-1]["sequence"] if newest else 0, str(error)) from None
    _show_proof(fob, proof)


def global_changes(fob: Fob, key: str | None, device: str | None) -> Sequence[Change]:
    """What `fob git enable` makes. Raises ControlError."""
    runner = _git(fob)
    return _changes(fob, runner, global_scope(fob.environment), _public_key(fob, key, device), every_commit=True)


def _changes(fob: Fob, runner: Git, scope: Scope, key: str, every_commit: bool) -> Sequence[Change]:
    signing = Signing(key, daemon_sockets(fob).agent, every_commit)
    return enabling(runner, scope, Record(fob.paths.state), signing)


def _carry_out(fob: Fob, changes: Sequence[Change], yes: bool) -> list[dict[str, object]]:
    """Show, ask, make; what was made. Raises ControlError."""
    described = [to_json(change) for change in changes]
    for change in changes:
        if change.standing() is Standing.FOREIGN:
            why = f"fob would {change.what}, and did not write what is there"
            raise ControlError("nothing was changed", why, "move it away, and then the same command")
    if all(entry["standing"] != "due" for entry in described):
        why = "git signs with this key already"
        raise ControlError("nothing was changed", why, "fob git test", ExitCode.NOTHING_TO_DO)
    for change in changes:
        show(fob.output, change)
    agree(fob, yes, "fob git enable")
    with MadeFolders(fob.paths.state).noted([change.path for change in changes]):
        make_all(changes)
    return [entry for entry in described if entry["standing"] == "due"]


def _show_proof(fob: Fob, proof: Proof) -> None:
    if fob.output.is_json:
        fob.output.data({"commit": proof.commit, "said": proof.said})
        return
    fob.output.line(proof.said)
    fob.output.say("git and ssh-keygen take the signature for good.")


def _git(fob: Fob) -> Git:
    return Git.here(fob.environment, Path.cwd())


def _scope(runner: Git, is_local: bool) -> Scope:
    return local_scope(runner) if is_local else global_scope(runner.environment)


def _public_key(fob: Fob, key: str | None, device: str | None) -> str:
    """The type and base64 of the key to sign with. Raises ControlError."""
    found = find_key(fob, key, device) if key is not None else _only_key(fob, device)
    line: str | None = fob.client.get("keys", found["device"], found["id"])["ssh"]
    if line is None:
        why = f"'{found['label']}' has no public half of a kind that OpenSSH knows"
        raise ControlError("git was not configured", why, "fob keys list")
    return " ".join(line.split()[:2])


def _only_key(fob: Fob, device: str | None) -> dict[str, Any]:
    found = [key for key in keys_of(fob, device) if key["id"]]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ControlError("there is no key", "none is on the phone", "fob keys new --type ed25519 --label git")
    labels = ", ".join(f"'{key['label']}'" for key in found)
    raise ControlError("which key?", f"there are {labels}", "the same command with --key LABEL", ExitCode.USAGE)

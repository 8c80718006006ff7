"""All that makes git sign with one of the phone's keys, as changes."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.block import Block
from fob_daemon.cli.changes.change import Change
from fob_daemon.cli.changes.own_file import OwnFile
from fob_daemon.cli.git_signing.files import PROGRAM_NAME, SIGNERS_NAME, own_file, program_text, signer, signers_text
from fob_daemon.cli.git_signing.git import Git
from fob_daemon.cli.git_signing.record import Record
from fob_daemon.cli.git_signing.scope import Scope
from fob_daemon.cli.git_signing.settings import GitSettings
from fob_daemon.cli.git_signing.signing_key import KEY_NAME, key_text
from fob_daemon.control.errors import ControlError

FORMAT: Final = "gpg.format"
KEY: Final = "user.signingKey"
PROGRAM: Final = "gpg.ssh.program"
SIGNERS: Final = "gpg.ssh.allowedSignersFile"
SIGN_COMMITS: Final = "commit.gpgSign"

# In a list of signers the others are patterns, or end the name.
_EMAIL: Final = re.compile(r"[^\s\"\\,*?!]+")


@dataclass(frozen=True, slots=True)
class Signing:
    """What is wanted: which key (its type and its base64), by which agent; whether every commit is signed."""

    key: str
    agent: str
    every_commit: bool


def enabling(git: Git, scope: Scope, record: Record, signing: Signing) -> Sequence[Change]:
    """The files first, so that nothing in git's settings leads nowhere. Raises ControlError."""
    email = git.value("user.email")
    if not email or not _EMAIL.fullmatch(email):
        why = f"user.email is '{email}'" if email else "git does not know whose commits these are (user.email)"
        raise ControlError("git was not configured", why, f"git config {scope.option} user.email YOU@EXAMPLE.ORG")
    noted = record.noted(scope.config)
    program = own_file(scope.files / PROGRAM_NAME, program_text(signing.agent), files.PROGRAM, noted=noted)
    signers = _signers(git, scope, signer_of=(email, signing.key), noted=noted)
    key = own_file(scope.files / KEY_NAME, key_text(signing.key), noted=noted)
    settings = {
        FORMAT: "ssh",
        KEY: str(key.path),
        PROGRAM: str(program.path),
        **({SIGNERS: str(signers.path)} if isinstance(signers, OwnFile) else {}),
        **_commits(git, scope, every=signing.every_commit),
    }
    return program, signers, key, GitSettings(git, scope, record, settings)


def _commits(git: Git, scope: Scope, *, every: bool) -> dict[str, str]:
    """Those with -S alone are signed where nothing is set, too: then there is nothing to set."""
    if every:
        return {SIGN_COMMITS: "true"}
    return {SIGN_COMMITS: "false"} if git.value(SIGN_COMMITS, "--type=bool", *scope.arguments) == "true" else {}


def disabling(git: Git, scope: Scope, record: Record) -> Sequence[Change]:
    """What may have been made, in the order in which it is undone. Raises ControlError."""
    signers = _signers_in_use(git, scope)
    noted = record.noted(scope.config)
    return (
        GitSettings(git, scope, record, {}),
        *(own_file(scope.files / name, "", noted=noted) for name in (PROGRAM_NAME, SIGNERS_NAME, KEY_NAME)),
        *([Block(signers, ())] if signers else []),
    )


def _signers(git: Git, scope: Scope, signer_of: tuple[str, str], noted: Collection[str]) -> OwnFile | Block:
    """A list that is in use already gets one more line; two lists git does not read."""
    in_use = _signers_in_use(git, scope)
    if in_use is not None:
        # So that the commits of an earlier key still have good signatures.
        return Block(in_use, (signer(*signer_of),)).with_found()
    path = scope.files / SIGNERS_NAME
    return own_file(path, signers_text(*signer_of, files.read(path)), noted=noted)


def _signers_in_use(git: Git, scope: Scope) -> Path | None:
    """The person's own list of allowed signers. Raises ControlError."""
    named = git.value(SIGNERS, "--type=path")
    if named is None or Path(named).name == SIGNERS_NAME:
        return None
    return git.folder / named

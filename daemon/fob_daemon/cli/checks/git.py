"""git's signatures: where git is to sign with the phone, does it find what it needs, and go by it?"""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Write
from fob_daemon.cli.git_signing.effective import other_that_counts, set_by_fob
from fob_daemon.cli.git_signing.files import PROGRAM_NAME, only_key_of, own_file, program_text, signers_text
from fob_daemon.cli.git_signing.git import Git
from fob_daemon.cli.git_signing.plan import FORMAT, KEY, PROGRAM, SIGNERS
from fob_daemon.cli.git_signing.record import Record
from fob_daemon.cli.git_signing.signing_key import KEY_NAME, key_text, public_half
from fob_daemon.control.errors import ControlError
from fob_daemon.paths import daemon_paths

_ENABLE: Final = "fob git enable"

# Without one of them as fob has set it, git signs with another key, by another program, or not at all.
_DECISIVE: Final = (FORMAT, KEY, PROGRAM)


def check_git(machine: Machine) -> Iterator[Finding]:
    """As git's settings are where `fob doctor` runs."""
    try:
        git = Git.here({**os.environ, **machine.environment}, Path.cwd())
        ours = set_by_fob(git, Record(daemon_paths(machine.environment).state))
        changed = _changed(git, {name: ours[name] for name in _DECISIVE if name in ours})
        settings = {name: git.value(name) or "" for name in (FORMAT, "user.email")}
        paths = {name: git.value(name, "--type=path") or "" for name in (PROGRAM, SIGNERS, KEY)}
    except ControlError as error:
        yield Finding(Outcome.SKIP, "git", error.why)
        return
    if changed is not None:
        yield changed
        return
    if settings[FORMAT] != "ssh":
        yield Finding(Outcome.SKIP, "git", "it does not sign with ssh keys", _ENABLE)
        return
    if Path(paths[PROGRAM]).name != PROGRAM_NAME:
        yield _by_variable(machine)
        return
    yield _program(machine, Path(paths[PROGRAM]), ours.values())
    path = Path(paths[SIGNERS]) if paths[SIGNERS] else None
    key = _key_in(paths[KEY])
    if key is None:
        yield _no_key(Path(paths[KEY]), path, settings["user.email"], ours.values())
        return
    is_ours = paths[KEY] == ours.get(KEY) and paths[SIGNERS] == ours.get(SIGNERS)
    yield _signers(path, key, settings["user.email"], is_ours=is_ours)


def _changed(git: Git, ours: Mapping[str, str]) -> Finding | None:
    """What is set otherwise now, here, than `fob git enable` has left it. Raises ControlError."""
    what = "git does not sign here as fob has set it up"
    other = other_that_counts(git, ours)
    if other is not None:
        return Finding(Outcome.WARN, what, other.why, f"{other.remedy}    (or leave it, if you want it so)")
    missing = next((name for name in ours if git.value(name) is None), None)
    if missing is not None:
        return Finding(Outcome.WARN, what, f"{missing} is not set in any file that git reads", _ENABLE)
    return None


def _by_variable(machine: Machine) -> Finding:
    """git signs with ssh, and was not set up by fob: the agent is the one of the shell."""
    if machine.environment.get("SSH_AUTH_SOCK") == str(machine.agent):
        return Finding(Outcome.OK, "git", "it signs with ssh keys, in this shell by the phone's agent")
    return Finding(Outcome.SKIP, "git", "it signs with ssh keys, and not by the phone's agent", _ENABLE)


def _program(machine: Machine, path: Path, noted: Collection[str]) -> Finding:
    change = own_file(path, program_text(str(machine.agent)), files.PROGRAM, noted=noted)
    text = files.read(path)
    if text == change.text and os.access(path, os.X_OK):
        return Finding(Outcome.OK, "git", f"it signs by the phone's agent ({path})")
    if text is None:
        what, why = "git cannot sign", f"{path} is not there, and {PROGRAM} names it"
        return Finding(Outcome.FAIL, what, why, _ENABLE, Write((change,)))
    if text != change.text:
        what, why = "git signs by another agent than the phone's", f"{path} names it"
        return Finding(Outcome.WARN, what, why, _ENABLE, Write((change,)))
    return Finding(Outcome.FAIL, "git cannot sign", f"{path} may not be run", f"chmod +x {path}", Write((change,)))


def _key_in(value: str) -> str | None:
    with suppress(ControlError):
        return public_half(value)
    return None


def _no_key(path: Path, signers: Path | None, email: str, noted: Collection[str]) -> Finding:
    """A file that is fob's is written again where the list of signers has but one key that it can be."""
    why = f"{path} {'holds no public key' if path.exists() else 'is not there'}, and {KEY} names it"
    if path.exists() and path.name != KEY_NAME:
        return Finding(Outcome.SKIP, "git's signers", why, _ENABLE)
    text = files.read(signers) if signers is not None else None
    key = only_key_of(email, text or "")
    is_known = key is not None and str(path) in noted
    fix = Write((own_file(path, key_text(str(key)), noted=noted),)) if is_known else None
    return Finding(Outcome.FAIL, "git cannot sign", why, _ENABLE, fix)


def _signers(path: Path | None, key: str, email: str, *, is_ours: bool) -> Finding:
    """`is_ours`: list and key are those that fob has set; no other key is fob's to trust."""
    what = "git takes its own signatures for no good ones"
    if path is None:
        return Finding(Outcome.WARN, what, f"{SIGNERS} is not set", _ENABLE)
    text = files.read(path)
    if text is not None and _has(text, email, key):
        return Finding(Outcome.OK, "git's signers", f"{path} has this key")
    why = f"{path} {'is not there' if text is None else 'does not have this key for ' + email}"
    return Finding(
        Outcome.WARN, what, why, _ENABLE,
        Write((own_file(path, signers_text(email, key, text), noted=(str(path),)),)) if is_ours else None,
    )  # fmt: skip


def _has(text: str, email: str, key: str) -> bool:
    """In one line, however somebody else may have written it."""
    return any(key in line and email in line for line in text.splitlines() if not line.startswith("#"))

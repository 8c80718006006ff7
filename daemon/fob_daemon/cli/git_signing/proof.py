"""A signed commit in a repository of its own, held against git and against ssh-keygen, neither of which knows Fob."""

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.cli.git_signing.git import GIT_TIME, SIGNING_TIME, Git, GitFailedError
from fob_daemon.cli.git_signing.plan import FORMAT, KEY, PROGRAM, SIGNERS
from fob_daemon.control.errors import ControlError

_STOCK: Final = "ssh-keygen"
_ENABLE: Final = "fob git enable"
_NAMESPACE: Final = "git"
_PROVED: Final = "the proof failed"


class NotSignedError(Exception):
    """git got no signature; the text is its last words."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A signed commit, and what ssh-keygen said of its signature."""

    commit: str
    said: str


@dataclass(frozen=True, slots=True)
class Setup:
    """The settings by which git signs where the person stands; paths are whole."""

    key: str
    program: str
    signers: str
    email: str

    @classmethod
    def found(cls, git: Git) -> "Setup":
        """Raises ControlError where git would not sign with an SSH key, or could not check it."""
        if git.value(FORMAT) != "ssh":
            raise _not_set_up(f"{FORMAT} is not 'ssh'")
        key, signers, email = (git.value(name, "--type=path") for name in (KEY, SIGNERS, "user.email"))
        for name, value in ((KEY, key), (SIGNERS, signers), ("user.email", email)):
            if not value:
                raise _not_set_up(f"{name} is not set")
        program = git.value(PROGRAM, "--type=path") or _STOCK
        return cls(str(key), program, str(git.folder / str(signers)), str(email))

    def settings(self, program: str) -> dict[str, str]:
        """For a repository of its own; no hooks of the person's."""
        return {
            FORMAT: "ssh",
            KEY: self.key,
            PROGRAM: program,
            SIGNERS: self.signers,
            "user.name": "fob git test",
            "user.email": self.email,
            "core.hooksPath": "hooks",
        }


def prove(git: Git, setup: Setup) -> Proof:
    """Sign, and check twice; nothing is left of it. Raises NotSignedError, ControlError, KeyboardInterrupt."""
    with _interrupted_by_signals(), tempfile.TemporaryDirectory(prefix="fob-git-") as folder:
        # What git lays aside while it signs is to go too, should git be ended.
        scratch = Git({**git.environment, "TMPDIR": folder}, Path(folder))
        try:
            scratch.run("init", "--quiet")
            _configure(scratch, setup.settings(setup.program))
            _commit(scratch)
            _configure(scratch, setup.settings(_STOCK))
            scratch.run("verify-commit", "HEAD")
            commit = scratch.run("rev-parse", "HEAD").strip()
            payload, signature = parted(scratch.run("cat-file", "commit", "HEAD"))
        except GitFailedError as error:
            raise ControlError(_PROVED, f"git: {error}", "fob doctor") from None
        return Proof(commit, _verified(scratch, setup, payload, signature))


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Who is asked to end cleans up first."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # nohup's SIGHUP stays unheard
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parted(commit: str) -> tuple[str, str]:
    """What a commit's signature is over, and the signature (git's commit format: the header gpgsig and its lines)."""
    payload: list[str] = []
    signature: list[str] = []
    inside = False
    head, blank, message = commit.partition("\n\n")
    for line in head.split("\n"):
        inside = line.startswith("gpgsig ") or (inside and line.startswith(" "))
        (signature if inside else payload).append(line)
    return "\n".join(payload) + blank + message, "\n".join(line.partition(" ")[2] for line in signature) + "\n"


def _configure(scratch: Git, settings: dict[str, str]) -> None:
    """Raises GitFailedError."""
    for name, value in settings.items():
        scratch.run("config", name, value)


def _commit(scratch: Git) -> None:
    try:
        scratch.run(
            "commit", "--quiet", "--allow-empty", "--gpg-sign", "-m", "Signed with the phone", seconds=SIGNING_TIME
        )
    except GitFailedError as error:
        raise NotSignedError(str(error)) from None


def _verified(scratch: Git, setup: Setup, payload: str, signature: str) -> str:
    """What ssh-keygen says of it. Raises ControlError."""
    file = scratch.folder / "signature"
    file.write_text(signature)
    who = ("-I", setup.email, "-n", _NAMESPACE, "-f", setup.signers, "-s", str(file))
    done = subprocess.run(  # noqa: S603 - the distribution's own
        (_STOCK, "-Y", "verify", *who),
        env=dict(scratch.environment),
        input=payload.encode(),
        capture_output=True,
        timeout=GIT_TIME,
        check=False,
    )
    words = (done.stdout + done.stderr).decode(errors="replace").strip()
    if done.returncode != 0:
        raise ControlError(_PROVED, f"{_STOCK}: {words.splitlines()[-1] if words else 'no words'}", _ENABLE)
    return words


def _not_set_up(why: str) -> ControlError:
    return ControlError("git does not sign with the phone", why, _ENABLE)

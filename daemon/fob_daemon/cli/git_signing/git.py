"""The git that is installed here, asked one thing at a time."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode

# git itself answers at once; a signature waits for a person, and the phone gives a question up after a minute.
GIT_TIME: Final = 10.0
SIGNING_TIME: Final = 120.0

# git-config(1): no such value.
_NO_VALUE: Final = 1

# Where a setting is from that no file has: `git -c`, or who started git.
BY_ENVIRONMENT: Final = "the environment (GIT_CONFIG_COUNT or GIT_CONFIG_PARAMETERS)"

# What git would ask for at the terminal, and paint for a person, is of no use here.
_QUIET: Final = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}


class GitFailedError(Exception):
    """git ended with an error; the text is its last words."""


@dataclass(frozen=True, slots=True)
class Git:
    """git with an environment, in a folder."""

    environment: Mapping[str, str]
    folder: Path

    @classmethod
    def here(cls, environment: Mapping[str, str], folder: Path) -> "Git":
        """Raises ControlError where there is no git."""
        if shutil.which("git", path=environment.get("PATH")) is None:
            raise ControlError("git cannot be asked", "it is not installed", "apt install git")
        return cls(environment, folder)

    def run(self, *arguments: str, stdin: bytes = b"", seconds: float = GIT_TIME) -> str:
        """What it prints. Raises GitFailedError, ControlError."""
        code, output, words = self._run(arguments, stdin, seconds)
        if code != 0:
            raise GitFailedError(_last_line(words) or f"it ended with {code}")
        return output

    def value(self, name: str, *scope: str) -> str | None:
        """The setting that counts; `scope`: more arguments of git config. Raises ControlError."""
        values = self.values(name, *scope)
        return values[-1] if values else None

    def values(self, name: str, *scope: str) -> list[str]:
        """All values of a setting. Raises ControlError."""
        code, output, words = self._run(("config", *scope, "-z", "--get-all", name), b"", GIT_TIME)
        if code not in (0, _NO_VALUE):
            raise _not_read(name, words)
        return output.split("\0")[:-1]

    def origin(self, name: str, *kind: str) -> tuple[str, str] | None:
        """The file whose setting counts, or in words where else it is from, and its value. Raises ControlError.

        `kind`: more arguments of git config.
        """
        code, output, words = self._run(("config", *kind, "-z", "--show-origin", "--get", name), b"", GIT_TIME)
        if code == _NO_VALUE:
            return None
        if code != 0:
            raise _not_read(name, words)
        origin, value = output.split("\0")[:2]
        kind_of_place, _, place = origin.partition(":")
        return (str(self._top() / place) if kind_of_place == "file" else BY_ENVIRONMENT), value

    def _top(self) -> Path:
        """The folder that git's words for its files go by: in a repository its highest one."""
        try:
            return self.folder / self.run("rev-parse", "--show-toplevel").rstrip("\n")
        except GitFailedError:
            return self.folder

    def _run(self, arguments: tuple[str, ...], stdin: bytes, seconds: float) -> tuple[int, str, str]:
        try:
            done = subprocess.run(  # noqa: S603 - git, found in PATH
                ("git", *arguments),  # noqa: S607 - the person's own git
                cwd=self.folder,
                env={**self.environment, **_QUIET},
                input=stdin,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            why = f"git {arguments[0]} took over {seconds:.0f} s"
            raise ControlError("git did not end", why, "fob status", ExitCode.TIMEOUT) from None
        except OSError as error:
            raise ControlError("git cannot be asked", error.strerror or str(error), "git --version") from None
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def _not_read(name: str, words: str) -> ControlError:
    return ControlError(f"git's {name} was not read", _last_line(words), "git config --list --show-origin")


def _last_line(words: str) -> str:
    lines = words.strip().splitlines()
    return lines[-1].removeprefix("fatal: ").removeprefix("error: ") if lines else ""

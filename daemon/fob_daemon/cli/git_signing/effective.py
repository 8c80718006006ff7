"""Which settings git goes by in the end: a file that it reads later, or its environment, goes before what fob set."""

import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fob_daemon.cli.git_signing.git import BY_ENVIRONMENT, Git
from fob_daemon.cli.git_signing.record import Record
from fob_daemon.cli.git_signing.scope import global_scope, local_scope
from fob_daemon.control.errors import ControlError

# A yes that is spelled otherwise is the same yes (git-config(1), --type).
_BOOLEANS: Final = ("true", "false")
_GLOBAL: Final = "GIT_CONFIG_GLOBAL"


@dataclass(frozen=True, slots=True)
class Other:
    """A setting that counts in place of the one that was wanted; `origin`: the file where it stands, or in words."""

    name: str
    value: str
    origin: str

    @property
    def why(self) -> str:
        """For a person."""
        return f"{self.origin} has another {self.name}, {shlex.quote(self.value)}, which counts"

    @property
    def remedy(self) -> str:
        """A command that takes it away, or one that shows where everything stands."""
        if Path(self.origin).is_file():
            return f"git config --file {shlex.quote(self.origin)} --unset-all {self.name}"
        if self.origin == BY_ENVIRONMENT:
            return "unset GIT_CONFIG_COUNT GIT_CONFIG_PARAMETERS"
        return "git config --list --show-origin"


def kind_of(value: str) -> tuple[str, ...]:
    """For git config: how a setting is read that is to have this value."""
    return ("--type=bool",) if value in _BOOLEANS else ()


def other_that_counts(git: Git, wanted: Mapping[str, str]) -> Other | None:
    """The first of the wanted settings that another one goes before; one that is not set has none. Raises ControlError.

    By git's own word.
    """
    for name, value in wanted.items():
        found = git.origin(name, *kind_of(value))
        if found is not None and found[1] != value:
            return Other(name, found[1], found[0])
    return None


def set_by_fob(git: Git, record: Record) -> Mapping[str, str]:
    """What `fob git enable` has set for this repository, and where that says nothing, for all. Raises ControlError."""
    environment = {name: value for name, value in git.environment.items() if name != _GLOBAL}
    scopes = [global_scope(environment), global_scope(git.environment)]
    with suppress(ControlError):  # in no repository
        scopes.append(local_scope(git))
    known = (record.get(scope.config) for scope in scopes)
    return {name: value for before in known if before is not None for name, value in before.ours.items()}

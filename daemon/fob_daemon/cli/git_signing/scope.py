"""Where git keeps a setting, and fob the files that belong to it: for the person, or for one repository."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fob_daemon.cli.git_signing.git import Git, GitFailedError
from fob_daemon.control.errors import ControlError, ExitCode


@dataclass(frozen=True, slots=True)
class Scope:
    """`option` is git config's; `config` its file, `files` the folder for fob's."""

    option: str
    config: Path
    files: Path

    @property
    def arguments(self) -> tuple[str, str]:
        """For git config: the one file, with what it includes."""
        return ("--file", str(self.config))


def global_scope(environment: Mapping[str, str]) -> Scope:
    """Where `git config --global` writes (git-config(1), FILES)."""
    home = Path(environment["HOME"]) if "HOME" in environment else Path.home()
    data = environment.get("XDG_DATA_HOME")
    files = (Path(data) if data else home / ".local/share") / "fob"
    return Scope("--global", _global_config(environment, home), files)


def local_scope(git: Git) -> Scope:
    """The repository's. Raises ControlError where there is none."""
    try:
        folder = git.folder / git.run("rev-parse", "--git-common-dir").rstrip("\n")
    except GitFailedError as error:
        raise ControlError(
            "git was not configured", f"{git.folder}: {error}", "the same command in a repository", ExitCode.USAGE
        ) from None
    folder = folder.resolve()
    return Scope("--local", folder / "config", folder)


def _global_config(environment: Mapping[str, str], home: Path) -> Path:
    if named := environment.get("GIT_CONFIG_GLOBAL"):
        return Path(named)
    configuration = environment.get("XDG_CONFIG_HOME")
    other = (Path(configuration) if configuration else home / ".config") / "git/config"
    return other if other.exists() and not (home / ".gitconfig").exists() else home / ".gitconfig"

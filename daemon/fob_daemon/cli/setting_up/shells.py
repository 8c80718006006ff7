"""SSH_AUTH_SOCK for programs that read no configuration of ssh's, where no other agent has set it."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from fob_daemon.cli.changes.block import Block
from fob_daemon.cli.changes.change import Change
from fob_daemon.cli.changes.own_file import OwnFile
from fob_daemon.cli.setting_up.person import Person


def shell_changes(person: Person) -> Sequence[Change]:
    """For the shell that the person logs in with."""
    match person.shell:
        case "fish":
            return (_fish(person),)
        case "zsh":
            return (_block(person, _zsh_folders(person)[0] / ".zshenv"),)
        case "bash":
            return (_block(person, person.home / ".bashrc"),)
    return (_block(person, person.home / ".profile"),)


def changes_of_every_shell(person: Person) -> Sequence[Change]:
    """To be taken back: the person may have logged in with another one then."""
    files = (
        *(folder / ".zshenv" for folder in _zsh_folders(person)),
        person.home / ".bashrc",
        person.home / ".profile",
    )
    return (_fish(person), *(_block(person, path) for path in files))


def _zsh_folders(person: Person) -> Sequence[Path]:
    """Where it looks for its files, the home last."""
    given = person.environment.get("ZDOTDIR")
    return (person.home / given, person.home) if given else (person.home,)


def _fish(person: Person) -> Change:
    text = (
        "# Fob: the phone's agent, where there is no other. `fob setup --undo` removes this file.\n"
        f"set -q SSH_AUTH_SOCK; or set -gx SSH_AUTH_SOCK {shlex.quote(person.agent)}\n"
    )
    return OwnFile(person.configuration / "fish/conf.d/fob.fish", text)


def _block(person: Person, path: Path) -> Change:
    line = f'[ -n "$SSH_AUTH_SOCK" ] || {{ SSH_AUTH_SOCK={shlex.quote(person.agent)}; export SSH_AUTH_SOCK; }}'
    return Block(path, (line,))

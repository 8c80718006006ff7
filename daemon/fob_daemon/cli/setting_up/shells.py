"""SSH_AUTH_SOCK for programs that read no configuration of ssh's, where no other agent has set it."""

import shlex
from collections.abc import Sequence

from fob_daemon.cli.changes.block import Block
from fob_daemon.cli.changes.change import Change
from fob_daemon.cli.changes.own_file import OwnFile
from fob_daemon.cli.setting_up.person import Person


def shell_changes(person: Person) -> Sequence[Change]:
    """For the shell that the person logs in with."""
    agent = shlex.quote(person.agent)
    if person.shell == "fish":
        text = (
            "# Fob: the phone's agent, where there is no other. `fob setup --undo` removes this file.\n"
            f"set -q SSH_AUTH_SOCK; or set -gx SSH_AUTH_SOCK {agent}\n"
        )
        return (OwnFile(person.configuration / "fish/conf.d/fob.fish", text),)
    folder = person.home
    match person.shell:
        case "zsh":
            given = person.environment.get("ZDOTDIR")
            path = (folder if not given else folder / given) / ".zshenv"
        case "bash":
            path = folder / ".bashrc"
        case _:
            path = folder / ".profile"
    line = f'[ -n "$SSH_AUTH_SOCK" ] || {{ SSH_AUTH_SOCK={agent}; export SSH_AUTH_SOCK; }}'
    return (Block(path, (line,)),)

"""ssh's own configuration: one line in the person's file, and the rest in one of ours."""

import shlex
from collections.abc import Sequence
from typing import Final

from fob_daemon.cli.changes import files
from fob_daemon.cli.changes.block import Block
from fob_daemon.cli.changes.change import Change
from fob_daemon.cli.changes.own_file import OwnFile
from fob_daemon.cli.setting_up.person import Person
from fob_daemon.cli.ssh import quoted
from fob_daemon.control.errors import ControlError

EVERY_HOST: Final = "*"
NAME: Final = "fob.conf"

# ssh goes by what it finds first: what the person has set for a host goes before this. Where nobody listens at the
# socket, ssh does as it did without fob.
_TEXT: Final = """\
# Fob: ssh asks the phone's agent where it listens. `fob setup --undo` removes this file.
Match host "{hosts}" exec "test -S {agent}"
    IdentityAgent {quoted}
"""


def can_be_written(person: Person) -> bool:
    """Whether the paths can stand between quotation marks (ssh_config(5))."""
    return '"' not in f"{person.home}{person.agent}"


def ssh_changes(person: Person, hosts: str = EVERY_HOST) -> Sequence[Change]:
    """`hosts`: a list of patterns, with commas (ssh_config(5), PATTERNS). Raises ControlError."""
    folder = person.home / ".ssh"
    own = folder / NAME
    if not can_be_written(person):
        why = "the path of your home or of the agent has a quotation mark, and ssh would not read its configuration"
        raise ControlError("nothing was changed", why, "fob setup --without ssh")
    test = shlex.quote(person.agent).replace("%", "%%")
    text = _TEXT.format(hosts=hosts, agent=test, quoted=quoted(person.agent))
    return (
        OwnFile(own, text, files.PRIVATE),
        # Behind a Host line it would be about that host alone.
        Block(folder / "config", ("Match all", f"    Include {quoted(str(own))}"), files.PRIVATE, is_last=True),
    )

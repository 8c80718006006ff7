"""What every change can tell of itself, and how changes are shown, asked about and made."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from fob_daemon.cli.context import Fob
from fob_daemon.cli.output import Output, Painted
from fob_daemon.cli.questions import NOBODY, confirm
from fob_daemon.control.errors import ControlError, ExitCode


class Standing(StrEnum):
    """How a change stands. `foreign`: something is in its place that fob did not write, and that it leaves alone."""

    DUE = "due"
    DONE = "done"
    FOREIGN = "foreign"


class Change(Protocol):
    """One change. What goes wrong raises ControlError, and then nothing of it was done."""

    @property
    def what(self) -> str:
        """`write ~/.ssh/fob.conf`."""

    @property
    def undone(self) -> str:
        """`removed ~/.ssh/fob.conf`, once it is."""

    @property
    def content(self) -> Sequence[str]:
        """The lines that it writes."""

    def standing(self) -> Standing:
        """Whether there is something to do."""

    def make(self) -> None:
        """Make it, where it is due."""

    def undo(self) -> bool:
        """Take it back; False when there is nothing to take back."""


def show(output: Output, change: Change) -> None:
    """What would be done, with every line, as narration."""
    standing = change.standing()
    if standing is Standing.DUE:
        output.say(Painted(change.what, bold=True))
        for line in change.content:
            output.say(f"    {line}")
    elif standing is Standing.DONE:
        output.say(Painted(f"{change.what}: done already", "bright_black"))
    else:
        output.say(Painted("kept", "yellow"), f": {change.what} would put away what is there, and fob did not write it")


def to_json(change: Change) -> dict[str, object]:
    """For a script."""
    return {"what": change.what, "standing": change.standing(), "content": list(change.content)}


def make_all(changes: Sequence[Change]) -> list[Change]:
    """Make those that are due; they are given back. The first that cannot be made ends it. Raises ControlError."""
    made = []
    for change in changes:
        if change.standing() is Standing.DUE:
            change.make()
            made.append(change)
    return made


def agree(fob: Fob, yes: bool, command: str) -> None:
    """The person's yes, or `--yes`. Raises ControlError when they do not want it, or nobody is there."""
    if yes:
        return
    answer = confirm(fob.output, "Make these changes?")
    if answer is None:
        raise ControlError("nothing was changed", NOBODY, f"{command} --yes", ExitCode.USAGE)
    if not answer:
        raise ControlError("nothing was changed", "it was not confirmed", command, ExitCode.NOTHING_TO_DO)

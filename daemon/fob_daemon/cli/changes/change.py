"""What every change can tell of itself, and how changes are shown, asked about and made."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from fob_daemon.cli.changes.folders import missing_above, remove_empty
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
    def path(self) -> Path:
        """The file that it is about."""

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

    def keep(self) -> Callable[[], object]:
        """What puts back what is there now."""

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
    """Make those that are due; they are given back. Where one cannot be made, all is as it was. Raises ControlError."""
    made: list[tuple[Change, Callable[[], object]]] = []
    folders = missing_above(change.path for change in changes)
    try:
        for change in changes:
            if change.standing() is Standing.DUE:
                put_back = change.keep()
                change.make()
                made.append((change, put_back))
    except ControlError as error:
        why = f"{error.why}{_take_back(made)}"
        remove_empty(folders)
        raise ControlError(error.what, why, error.next_command, error.exit_code) from None
    return [change for change, _ in made]


def _take_back(made: Sequence[tuple[Change, Callable[[], object]]]) -> str:
    """What became of those that were made, in words that go on a sentence."""
    left = []
    for change, put_back in reversed(made):
        try:
            put_back()
        except ControlError:
            left.append(str(change.path))
    if left:
        return f"; {', '.join(left)} could not be put back"
    return "; what was written before it is taken back" if made else ""


def agree(fob: Fob, yes: bool, command: str) -> None:
    """The person's yes, or `--yes`. Raises ControlError when they do not want it, or nobody is there."""
    if yes:
        return
    answer = confirm(fob.output, "Make these changes?")
    if answer is None:
        raise ControlError("nothing was changed", NOBODY, f"{command} --yes", ExitCode.USAGE)
    if not answer:
        raise ControlError("nothing was changed", "it was not confirmed", command, ExitCode.NOTHING_TO_DO)

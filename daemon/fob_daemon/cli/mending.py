"""`fob doctor --fix`: each remedy is shown, asked about and applied; what needs root or a person is listed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fob_daemon.cli.checks.finding import Finding
from fob_daemon.cli.context import Fob
from fob_daemon.cli.output import Painted
from fob_daemon.cli.questions import NOBODY, confirm
from fob_daemon.control.errors import ControlError, ExitCode


@dataclass(slots=True)
class Mended:
    """What became of the troubles; `failed` with why."""

    done: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)
    failed: list[tuple[Finding, str]] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """For a script."""
        return {
            "fixed": [finding.what for finding in self.done],
            "left": [finding.what for finding in self.left],
            "failed": [{"what": finding.what, "why": why} for finding, why in self.failed],
        }


def mend(fob: Fob, findings: Iterable[Finding], yes: bool) -> Mended:
    """Apply what this user may apply. Raises ControlError where nothing is wrong, or nobody is there to ask."""
    troubles = [finding for finding in findings if finding.is_trouble]
    fixable = [finding for finding in troubles if finding.fix is not None]
    _list_the_others(fob, troubles)
    if not troubles:
        raise ControlError("nothing was mended", "nothing is wrong", "fob doctor", ExitCode.NOTHING_TO_DO)
    if not fixable:
        fob.output.say("")
        fob.output.say("Nothing was mended: what is wrong is not for this program to mend.")
    mended = Mended()
    for finding in fixable:
        _mend_one(fob, finding, yes, mended)
    return mended


def _mend_one(fob: Fob, finding: Finding, yes: bool, mended: Mended) -> None:
    if finding.fix is None:
        return
    fob.output.say("")
    fob.output.say(Painted(finding.what, bold=True))
    for line in finding.fix.lines:
        fob.output.say(f"    {line}")
    if not (yes or _wanted(fob)):
        mended.left.append(finding)
        return
    try:
        finding.fix.apply()
    except ControlError as error:
        fob.output.say(Painted("not mended", "red"), f": {error.why}    try: {finding.next}")
        mended.failed.append((finding, error.why))
    else:
        fob.output.say(Painted("done", "green"))
        mended.done.append(finding)


def _wanted(fob: Fob) -> bool:
    answer = confirm(fob.output, "Do it?")
    if answer is None:
        raise ControlError("nothing more was mended", NOBODY, "fob doctor --fix --yes", ExitCode.USAGE)
    return answer


def _list_the_others(fob: Fob, troubles: Sequence[Finding]) -> None:
    """Commands for root as they stand, and what only a person can do."""
    for title, found in (
        ("Needs root:", [finding for finding in troubles if finding.fix is None and finding.needs_root]),
        ("Needs you:", [finding for finding in troubles if finding.fix is None and not finding.needs_root]),
    ):
        if found:
            fob.output.say("")
            fob.output.say(Painted(title, bold=True))
        for finding in found:
            fob.output.say(f"    {finding.next}    ({finding.what})")

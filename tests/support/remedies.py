"""What a check of `fob doctor` says before and after its own remedy."""

from collections.abc import Callable, Iterator

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome

OK, WARN, FAIL, SKIP = Outcome.OK, Outcome.WARN, Outcome.FAIL, Outcome.SKIP
Check = Callable[[Machine], Iterator[Finding]]


def trouble(check: Check, machine: Machine) -> Finding:
    """The one that can be mended."""
    (found,) = (finding for finding in check(machine) if finding.is_trouble and finding.fix)
    return found


def mended(check: Check, machine: Machine) -> list[Outcome]:
    """What the check says after its remedy."""
    found = trouble(check, machine)
    assert found.fix is not None
    assert all(found.fix.lines)
    found.fix.apply()
    return [finding.outcome for finding in check(machine)]

"""This computer's own copy of fobd, where it is enrolled: may keys be used, and is the office asked?"""

from collections.abc import Iterator
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.copy_words import beyond_the_doctor
from fob_daemon.control.errors import ControlError

_NAME: Final = "copy of fobd"


def check_own_copy(machine: Machine) -> Iterator[Finding]:
    """One quiet line where nobody has enrolled it."""
    if machine.status is None:
        yield Finding(Outcome.SKIP, _NAME, "the daemon is not reachable")
        return
    try:
        own = machine.ask_own_copy()
    except ControlError as error:
        yield Finding(Outcome.WARN, "the copy of fobd could not be checked", error.why, error.next_command)
        return
    if not own["enrolled"]:
        yield Finding(Outcome.SKIP, _NAME, "this computer is not enrolled")
    elif not own["enabled"]:
        yield Finding(Outcome.FAIL, "fobd uses no key of any phone", own["why"], beyond_the_doctor(own["next"]))
    elif own["why"]:
        yield Finding(Outcome.WARN, "fobd was not validated", own["why"], beyond_the_doctor(own["next"]))
    else:
        yield Finding(Outcome.OK, _NAME, f"{own['version']} is what the office gave out")

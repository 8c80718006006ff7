"""The copies of programs on the phones: which ones may not run, and why?"""

from collections.abc import Iterator
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.copy_words import refusal_words
from fob_daemon.control.errors import ControlError

_NAME: Final = "copies on phones"
# Without it a phone uses no key.
_OWN: Final = "fob-device"


def check_copies(machine: Machine) -> Iterator[Finding]:
    """As the phones told last; none is asked."""
    if machine.status is None:
        yield Finding(Outcome.SKIP, _NAME, "the daemon is not reachable")
        return
    try:
        relays = machine.ask_relays()
    except ControlError as error:
        yield Finding(Outcome.WARN, "the copies on phones could not be checked", error.why, error.next_command)
        return
    refused = [
        (relay["device"], program, state) for relay in relays for program, state in sorted(relay["refused"].items())
    ]
    if not refused:
        yield Finding(Outcome.SKIP, _NAME, "none has told that one is refused")
    for device, program, state in refused:
        words, deed = refusal_words(state, program)
        outcome = Outcome.FAIL if program == _OWN else Outcome.WARN
        yield Finding(outcome, f"'{device}' does not let '{program}' run", words, deed)

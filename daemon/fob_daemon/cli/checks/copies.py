"""The copies of programs on the phones: which ones may not run, and why?"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.copy_words import beyond_the_doctor, refusal_words
from fob_daemon.control.errors import ControlError

_NAME: Final = "copies on phones"
# Without it a phone uses no key.
_OWN: Final = "fob-device"
# It has no yes of the office's, for whatever reason.
_NO_YES: Final = "not-validated"


def check_copies(machine: Machine) -> Iterator[Finding]:
    """As the phones told last; asked is only one that has told of no verdict, for why there is none."""
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
        words, deed = refusal_words(_reason(machine, device, program) if state == _NO_YES else state, program)
        outcome = Outcome.FAIL if program == _OWN else Outcome.WARN
        yield Finding(outcome, f"'{device}' does not let '{program}' run", words, beyond_the_doctor(deed))


def _reason(machine: Machine, device: str, program: str) -> str:
    """By name, where the phone is here and says one."""
    if any(one["name"] == device and one["state"] == "ready" for one in machine.devices):
        with suppress(ControlError):
            _, copies = machine.ask_copies(device)
            return next((copy["reason"] for copy in copies if copy["program"] == program), "") or _NO_YES
    return _NO_YES

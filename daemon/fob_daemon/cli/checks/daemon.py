"""Is the daemon there, is it ours, and what do its devices do?"""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.client import START

_STATES: Final = {
    "ready": (Outcome.OK, ""),
    "connecting": (Outcome.WARN, "wait a moment, then: fob status"),
    "away": (Outcome.WARN, "switch it on, plug it in, or bring it near"),
    "refused": (Outcome.FAIL, "fob unpair NAME, then fob pair URL"),
    "stopped": (Outcome.FAIL, "systemctl --user restart fobd"),
}
_PIN_STATES: Final = {
    "USER_PIN_LOCKED": (Outcome.FAIL, "the PIN is locked", "set a new one with the security officer's PIN"),
    "USER_PIN_FINAL_TRY": (Outcome.WARN, "one try for the PIN is left", "enter the right PIN once: fob unlock"),
    "USER_PIN_COUNT_LOW": (Outcome.WARN, "the PIN was entered wrongly", "enter the right PIN once: fob unlock"),
}


def check_daemon(machine: Machine) -> Iterator[Finding]:
    """Reachable, and of the same version as this program."""
    if machine.status is None:
        yield Finding(Outcome.FAIL, "daemon", f"not reachable at {machine.control}", START)
        return
    theirs, ours = machine.status["version"], version("fobd")
    if theirs != ours:
        yield Finding(Outcome.WARN, "daemon", f"fobd {theirs} runs, fob is {ours}", "systemctl --user restart fobd")
        return
    yield Finding(Outcome.OK, "daemon", f"fobd {theirs}, process {machine.status['pid']}")


def check_devices(machine: Machine) -> Iterator[Finding]:
    """The link and the PIN of each paired device."""
    if machine.status is None:
        yield Finding(Outcome.SKIP, "devices", "the daemon is not reachable")
        return
    if not machine.devices:
        yield Finding(Outcome.WARN, "devices", "none is paired", "fob pair URL")
    for device in machine.devices:
        yield _link(device)
        for flag, (outcome, detail, fix) in _PIN_STATES.items():
            if flag in device["token_flags"]:
                yield Finding(outcome, f"PIN of '{device['name']}'", detail, fix)
                break


def _link(device: dict[str, Any]) -> Finding:
    outcome, fix = _STATES[device["state"]]
    detail = ", ".join(words for words in (device["state"], device["why"], device["url"]) if words)
    return Finding(outcome, f"device '{device['name']}'", detail, fix)

"""Is the daemon there, is it ours, and what do its devices do?"""

import shlex
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.client import START
from fob_daemon.p11_kit import SET_PIN, pkcs11_tool

_STATES: Final = {
    "ready": (Outcome.OK, ""),
    "connecting": (Outcome.WARN, "wait a moment, then: fob status"),
    "away": (Outcome.WARN, "switch it on, plug it in, or bring it near"),
    "refused": (Outcome.FAIL, "fob unpair NAME, and then: fob pair URL"),
    "stopped": (Outcome.FAIL, "systemctl --user restart fobd"),
}
_PIN_STATES: Final = {
    "USER_PIN_LOCKED": (Outcome.FAIL, "it is locked; the security officer's PIN sets a new one"),
    "USER_PIN_FINAL_TRY": (Outcome.WARN, "one try is left"),
    "USER_PIN_COUNT_LOW": (Outcome.WARN, "it was entered wrongly"),
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
        flag = next((flag for flag in _PIN_STATES if flag in device["token_flags"]), None)
        if flag is not None:
            outcome, detail = _PIN_STATES[flag]
            yield Finding(outcome, f"PIN of '{device['name']}'", detail, _pin_fix(machine, device, outcome))


def _pin_fix(machine: Machine, device: dict[str, Any], outcome: Outcome) -> str:
    if outcome is Outcome.FAIL:
        return pkcs11_tool(str(machine.provider), device["label"], SET_PIN, machine.root)
    return f"enter the right PIN once: fob unlock --device {shlex.quote(device['name'])}"


def _link(device: dict[str, Any]) -> Finding:
    outcome, fix = _STATES[device["state"]]
    detail = ", ".join(words for words in (device["state"], device["why"], device["url"]) if words)
    return Finding(outcome, f"device '{device['name']}'", detail, fix)

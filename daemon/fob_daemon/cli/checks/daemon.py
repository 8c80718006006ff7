"""Is the daemon there, is it ours, and what do its devices do?"""

import shlex
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.fix import Run
from fob_daemon.cli.setting_up.systemd import SERVICE, SOCKETS, is_enabled
from fob_daemon.cli.starting import START
from fob_daemon.control.errors import ControlError
from fob_daemon.p11_kit import SET_PIN, pkcs11_tool

NEAR: Final = "switch it on, plug it in, or bring it near"
# A remedy that others name, and that leads nowhere from here.
DOCTOR: Final = "fob doctor"
RADIO_FIRST: Final = "mend Bluetooth first, which stands below"

# A state that is none to stay in: how bad it is, what is said of the device, and the next deed when none is known.
_STATES: Final = {
    "connecting": (Outcome.WARN, "is not connected yet", "fob status    (in a moment)"),
    "away": (Outcome.WARN, "is away", NEAR),
    "refused": (Outcome.FAIL, "is there and cannot be used", "fob log -n 5"),
    "stopped": (Outcome.FAIL, "is not connected to any more", ""),
}
_PIN_STATES: Final = {
    "USER_PIN_LOCKED": (
        Outcome.FAIL,
        "the PIN of '{}' is locked",
        "too many wrong ones were entered; the security officer's PIN sets a new one",
    ),
    "USER_PIN_FINAL_TRY": (
        Outcome.WARN,
        "one try is left for the PIN of '{}'",
        "wrong ones were entered, one more locks it",
    ),
    "USER_PIN_COUNT_LOW": (Outcome.WARN, "the PIN of '{}' was entered wrongly", "too many wrong ones in a row lock it"),
}


def check_daemon(machine: Machine) -> Iterator[Finding]:
    """Reachable, and of the same version as this program."""
    if machine.status is None:
        yield _unreachable(machine)
        return
    theirs, ours = machine.status["version"], version("fobd")
    if theirs != ours:
        yield Finding(
            Outcome.WARN,
            "the daemon is of another version",
            f"fobd {theirs} runs, fob is {ours}",
            machine.restart,
            _restart(machine),
        )
        return
    yield Finding(Outcome.OK, "daemon", f"fobd {theirs}, process {machine.status['pid']}")


def check_devices(machine: Machine, *, radio_fails: bool = False) -> Iterator[Finding]:
    """The link and the PIN of each paired device. `radio_fails`: this computer's Bluetooth is what has to be mended."""
    if machine.status is None:
        yield Finding(Outcome.SKIP, "devices", "the daemon is not reachable")
        return
    if not machine.devices:
        yield Finding(Outcome.WARN, "no device is paired", "programs find no key on this computer", "fob pair URL")
    for device in machine.devices:
        yield _link(machine, device, radio_fails)
        yield from _other_lines(device)
        flag = next((flag for flag in _PIN_STATES if flag in device["token_flags"]), None)
        if flag is not None:
            outcome, what, why = _PIN_STATES[flag]
            yield Finding(outcome, what.format(device["name"]), why, _pin_remedy(machine, device, outcome))


def _unreachable(machine: Machine) -> Finding:
    error = machine.refusal or ControlError("the daemon is not reachable", str(machine.control), START)
    # Its own words for one that hangs lead here.
    remedies = {DOCTOR: machine.restart, START: machine.start}
    remedy = remedies.get(error.next_command, error.next_command)
    return Finding(Outcome.FAIL, error.what, error.why, remedy, _restart(machine))


def _restart(machine: Machine) -> Run | None:
    """Where systemd has it; a daemon that somebody has started is theirs."""
    is_service = machine.has_systemd and is_enabled(machine.person)
    return Run(("systemctl", "--user", "restart", *SOCKETS, SERVICE)) if is_service else None


def _pin_remedy(machine: Machine, device: dict[str, Any], outcome: Outcome) -> str:
    if outcome is Outcome.FAIL:
        return pkcs11_tool(str(machine.provider), device["label"], SET_PIN, machine.root)
    return f"enter the right PIN once: fob unlock --device {shlex.quote(device['name'])}"


def _link(machine: Machine, device: dict[str, Any], radio_fails: bool) -> Finding:
    """The line that is in use, or would be."""
    name, url, state = f"device '{device['name']}'", device["url"], device["state"]
    if state == "ready":
        return Finding(Outcome.OK, name, f"ready, {url}")
    outcome, what, deed = _STATES[state]
    why = f"{device['why']} ({url})" if device["why"] else url
    if state == "stopped":
        deed = machine.restart
    if state == "away" and radio_fails and url.startswith("ble:"):
        deed = RADIO_FIRST
    told = "" if device["next"] == DOCTOR else device["next"]
    return Finding(outcome, f"{name} {what}", why, told or deed)


def _other_lines(device: dict[str, Any]) -> Iterator[Finding]:
    """The others stand by or are away, as it comes; one that is refused will not stand in when it is needed."""
    for line in device["lines"]:
        if line["url"] != device["url"] and line["state"] == "refused":
            what = f"device '{device['name']}' cannot be used by {line['url']}"
            yield Finding(Outcome.WARN, what, line["why"], line["next"] or _STATES["refused"][2])

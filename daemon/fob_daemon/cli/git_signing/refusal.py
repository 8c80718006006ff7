"""Why git got no signature: git itself only says that the agent refused."""

import shlex
from contextlib import suppress
from typing import Any, Final

from fob_daemon.cli.agent_logins import phones_to_unlock
from fob_daemon.cli.context import Fob
from fob_daemon.cli.git_signing.signing_key import public_half
from fob_daemon.control.errors import ControlError, ExitCode

_WHAT: Final = "the commit was not signed"

# What the log has of a signature that the phone did not give: the exit code and why.
_REFUSALS: Final = {
    "CKR_FUNCTION_REJECTED": (ExitCode.REJECTED, "the person said no on the phone"),
    "CKR_FUNCTION_CANCELED": (ExitCode.TIMEOUT, "nobody answered on the phone in time"),
}


def why_not_signed(fob: Fob, key: str, since: int, words: str) -> ControlError:
    """What the phone that has the key did or is.

    `key`: git's user.signingKey; `since`: the log's newest entry before git signed; `words`: git's last ones.
    """
    own = fob.client.get("integrity")
    if not own["enabled"]:
        return ControlError(_WHAT, f"fobd uses no key of any phone: {own['why']}", own["next"])
    status = fob.client.get("status")
    public = public_half(key)
    if public is None:
        return ControlError(_WHAT, f"{key} holds no public key, and user.signingKey names it", "fob git enable")
    holder = _holder(fob, status["devices"], public)
    if holder is None:
        why = "no phone that is paired has the key that git signs with (user.signingKey)"
        return ControlError(_WHAT, why, "fob git enable")
    name = holder["name"]
    results = [e["result"] for e in fob.client.get("log", since=since)["entries"] if e["device"] == name]
    for result, (code, why) in _REFUSALS.items():
        if result in results:
            return ControlError(_WHAT, f"{why} ({result})", "the same command again", code)
    if holder["state"] != "ready":
        why = f"'{name}' has the key, and is {_said(holder)}"
        remedy = holder["next"] or "switch it on, or bring it near, and then the same command"
        return ControlError(_WHAT, why, remedy, ExitCode.NO_DEVICE)
    if name in phones_to_unlock(status):
        why = f"'{name}' has no PIN pad, and is not unlocked"
        return ControlError(_WHAT, why, f"fob unlock --device {shlex.quote(name)}")
    refused = next((result for result in results if result != "OK"), "")
    return ControlError(_WHAT, f"git: {words}{f' ({refused})' if refused else ''}", "fob doctor")


def _said(device: dict[str, Any]) -> str:
    return f"{device['state']}: {device['why']}" if device["why"] else str(device["state"])


def _holder(fob: Fob, devices: list[dict[str, Any]], key: str) -> dict[str, Any] | None:
    """The phone with this key, one that is here before one that is not."""
    for device in sorted(devices, key=lambda device: device["state"] != "ready"):
        # What is known of a phone that is away is listed too; one that was never here has nothing to list.
        with suppress(ControlError):
            keys = fob.client.get("keys", device=device["name"])["keys"]
            if any(_line(fob, found) == key for found in keys if found["id"]):
                return device
    return None


def _line(fob: Fob, key: dict[str, Any]) -> str:
    line: str | None = fob.client.get("keys", key["device"], key["id"])["ssh"]
    return " ".join((line or "").split()[:2])

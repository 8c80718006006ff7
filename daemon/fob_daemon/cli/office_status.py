"""`fob office status`: the configuration, the devices, their servers and their relay, and what is newer."""

from typing import Any, Final

from fob_daemon.cli.context import Fob
from fob_daemon.cli.options import options_of
from fob_daemon.control.errors import ControlError
from fob_daemon.control.office_words import refusal_named

Report = dict[str, Any]

_CONFIGURE: Final = "fob office configure"
_NONE: Final = "none is configured; a device with a network of its own needs none here"


def show_status(fob: Fob, devices: list[Report]) -> None:
    """A device that cannot be asked does not hide the others. Raises ControlError when none can be."""
    configured: Report = fob.client.get("office")
    asked: list[Report] = []
    unasked: dict[str, ControlError] = {}
    for device in devices:
        try:
            asked.append(_ask(fob, device["name"]))
        except ControlError as error:
            unasked[device["name"]] = error
    if unasked and not asked and len(devices) == 1:
        raise next(iter(unasked.values()))
    if fob.output.is_json:
        away = [{"device": name, "why": why.why, "next": why.next_command} for name, why in unasked.items()]
        found = {"url": configured["url"], "ca_file": configured["ca_file"]}
        fob.output.data({**found, "devices": asked, "unasked": away})
        return
    _show(fob, configured, asked)
    for name, refusal in unasked.items():
        fob.output.say(f"'{name}' was not asked: {refusal.why}")
    if any(option["newest"] for report in asked for option in report["options"]):
        fob.output.say(f"try:   {_CONFIGURE}")


def _ask(fob: Fob, name: str) -> Report:
    """Three round trips. Raises ControlError."""
    state: Report = fob.client.get_from_device("devices", name, "office")
    servers = fob.client.get_from_device("devices", name, "servers")["servers"]
    return {**state, "servers": servers, "options": options_of(fob, name)}


def _show(fob: Fob, configured: Report, asked: list[Report]) -> None:
    fob.output.line(f"office   {configured['url'] or _NONE}")
    if configured["ca_file"]:
        fob.output.line(f"issuers  {configured['ca_file']}")
    # One that offices know: what `fob-office entitlement move --computer` takes.
    for computer in sorted({report["computer"] for report in asked}):
        fob.output.line(f"computer {computer}")
    rows = [(*_state(report), _relay(report["relay"])) for report in asked]
    if rows:
        fob.output.line()
    fob.output.table(("DEVICE", "STATE", "SET", "SERIAL", "HARDWARE", "RELAY"), rows)
    servers = [
        (report["device"], server["id"], server["title"], server["application"], _registered(server))
        for report in asked
        for server in report["servers"]
    ]
    if servers:
        fob.output.line()
    fob.output.table(("DEVICE", "SERVER", "TITLE", "APPLICATION", "REGISTERED"), servers)
    upgrades = [
        (report["device"], option["title"], option["version"], option["newest"])
        for report in asked
        for option in report["options"]
        if option["newest"]
    ]
    if upgrades:
        fob.output.line()
        fob.output.table(("DEVICE", "UPGRADE", "INSTALLED", "NEWEST"), upgrades)


def _state(report: Report) -> tuple[str, ...]:
    office = report["office"]
    steps = f" {office['done']}/{office['total']}" if office["total"] else ""
    refusal = refusal_named(office["words"])
    words = f"{refusal[1]} ({refusal[0]})" if refusal else f"{office['words']}{steps}"
    state = f"{office['state']}: {words}" if words else office["state"]
    return report["device"], state, str(office["set_number"]), office["serial"], office["hardware"]


def _relay(relay: Report | None) -> str:
    if relay is None:
        return ""
    words = f"{relay['questions']} carried" + (f", {relay['failures']} not answered" if relay["failures"] else "")
    return f"{words}; the last: {relay['why']}" if relay["why"] else words


def _registered(server: Report) -> str:
    if not server["registered"]:
        return "no"
    return f"as {server['name']}" if server["name"] else "yes"

"""`fob devices`, `fob status`, `fob unpair`."""

from typing import Any, Final

import click

from fob_daemon.cli.completing import complete_device
from fob_daemon.cli.context import Fob, json_option
from fob_daemon.cli.meter_lines import meter_lines
from fob_daemon.cli.office_lines import office_lines, own_copy_lines
from fob_daemon.cli.output import Output, Painted, coloured
from fob_daemon.cli.scan import show_nearby
from fob_daemon.control.limits import DEFAULT_SCAN, MAX_SCAN

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

# Of a client's command line, so that a row stays a row.
_COMMAND_SHOWN: Final = 60

_PIN_WARNINGS: Final = {
    "USER_PIN_LOCKED": "PIN locked",
    "USER_PIN_FINAL_TRY": "one PIN try left",
    "USER_PIN_COUNT_LOW": "PIN entered wrongly",
}


@click.command()
@click.option("--scan", is_flag=True, help="List what is near by Bluetooth instead, with its signal.")
@click.option(
    "--seconds", type=click.IntRange(1, MAX_SCAN), help=f"How long --scan listens.  [default: {DEFAULT_SCAN}]"
)
@json_option
@click.pass_obj
def devices(fob: Fob, scan: bool, seconds: int | None) -> None:
    """List the paired devices."""
    if scan:
        show_nearby(fob, seconds or DEFAULT_SCAN)
        return
    if seconds is not None:
        raise click.UsageError("--seconds is for --scan")
    found = fob.devices()
    if fob.output.is_json:
        fob.output.data({"devices": found})
        return
    if not found:
        fob.output.say("No device is paired.    try: fob pair URL")
    rows = [(d["name"], coloured(d["state"]), d["serial"], d["label"], d["slot"], d["url"], _why(d)) for d in found]
    fob.output.table(("NAME", "STATE", "SERIAL", "TOKEN", "SLOT", "URL", ""), rows)


@click.command(short_help="Show the daemon, its devices and traffic, its programs.")
@json_option
@click.pass_obj
def status(fob: Fob) -> None:
    """Show the daemon, its devices with their traffic, and the programs that use them."""
    report = fob.client.get("status")
    if fob.output.is_json:
        fob.output.data(report)
        return
    fob.output.line(f"fobd {report['version']}, process {report['pid']}, running for {_duration(report['uptime_s'])}")
    _show_devices(fob.output, report["devices"])
    if said := [*own_copy_lines(fob), *office_lines(fob, report["devices"]), *meter_lines(fob)]:
        fob.output.line()
        for line in said:
            fob.output.line(line)
    if report["agent_logged_in"]:
        fob.output.line()
        fob.output.line("the ssh agent holds a login    to end it: fob lock")
    _show_clients(fob.output, report["clients"])


@click.command(short_help="Forget a device; it forgets this computer too.")
@click.argument("name", shell_complete=complete_device)
@json_option
@click.pass_obj
def unpair(fob: Fob, name: str) -> None:
    """Forget the device NAME; it forgets this computer too, if it is there."""
    answer = fob.client.delete("devices", fob.device(name)["name"])
    fob.output.changed(f"'{name}' is no longer paired", "fob devices")
    if fob.output.is_json:
        fob.output.data(answer)
        return
    fob.output.say(f"'{name}' is no longer paired.")
    if not answer["phone_forgot"]:
        fob.output.say(Painted("warning:", "yellow", bold=True), f" {answer['why']}")
        fob.output.say(f"try:   {answer['next']}")


def _show_devices(output: Output, devices: list[dict[str, Any]]) -> None:
    output.line()
    if not devices:
        output.line("no devices")
    rows = [
        (
            device["name"],
            coloured(device["state"]),
            device["round_trips"],
            device["bytes_sent"],
            device["bytes_received"],
            device["reconnects"],
            device["objects"],
            device["url"],
            _remarks(device),
        )
        for device in devices
    ]
    output.table(("DEVICE", "STATE", "TRIPS", "SENT", "RECEIVED", "RECONNECTS", "OBJECTS", "URL", ""), rows)
    others = [
        (device["name"], coloured(line["state"]), line["url"], _why(line))
        for device in devices
        for line in device["lines"]
        if line["url"] != device["url"]
    ]
    if others:
        output.line()
        output.table(("DEVICE", "OTHER LINE", "URL", ""), others)


def _remarks(device: dict[str, Any]) -> str:
    warning = next((words for flag, words in _PIN_WARNINGS.items() if flag in device["token_flags"]), "")
    login = "unlocked" if device["logged_in"] else ""
    return ", ".join(words for words in (_why(device), warning, login) if words)


def _why(report: dict[str, Any]) -> str:
    """Why a device or a line is not ready, and what helps."""
    return f"{report['why']}    try: {report['next']}" if report["next"] else str(report["why"])


def _show_clients(output: Output, clients: list[dict[str, Any]]) -> None:
    output.line()
    if not clients:
        output.line("no programs connected")
    rows = [
        (
            client["program"],
            client["pid"],
            client["socket"],
            client["sessions"],
            "yes" if client["logged_in"] else "no",
            " ".join(client["command_line"])[:_COMMAND_SHOWN],
        )
        for client in clients
    ]
    output.table(("PROGRAM", "PROCESS", "BY", "SESSIONS", "LOGGED IN", "COMMAND"), rows)


def _duration(seconds: float) -> str:
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s"

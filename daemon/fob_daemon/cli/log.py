"""`fob log`: which program used which key, with what result."""

from pathlib import Path
from typing import Any, Final

import click

from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.durations import moment
from fob_daemon.cli.output import Part, coloured
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.limits import DEFAULT_LOG, MAX_LOG
from fob_daemon.control.log_purpose import LogPurpose

# The program that asked and the one that started it; all of them are in the JSON.
_PROGRAMS: Final = 2
# --verify without a file.
_PHONE: Final = ""


@click.command(short_help="Show which programs used which keys.")
@click.option("-n", "limit", type=click.IntRange(0, MAX_LOG), default=DEFAULT_LOG, show_default=True, help="How many.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens.")
@click.option("--phone", is_flag=True, help="What the phone has written down itself.")
@click.option("--verify", metavar="[FILE]", is_flag=False, flag_value=_PHONE, help="Check that; or an exported FILE.")
@click.option("--export", metavar="FILE", help="Write that to FILE, with all that a check needs.")
@device_option
@json_option
@click.pass_obj
def log(
    fob: Fob, limit: int, follow: bool, phone: bool, verify: str | None, export: str | None, device: str | None
) -> int:
    """Show the newest uses of keys, oldest first: as this computer saw them, or as the phone did."""
    if sum((follow, phone, verify is not None, export is not None)) > 1:
        raise click.UsageError("one of --follow, --phone, --verify and --export at a time")
    if phone or verify is not None or export is not None:
        return _of_phone(fob, limit, verify, export, device)
    return _follow(fob, limit) if follow else _show_newest(fob, limit)


def _of_phone(fob: Fob, limit: int, verify: str | None, export: str | None, device: str | None) -> int:
    # Loaded when it is needed: cryptography takes as long as all the rest of the command.
    from fob_daemon.cli import phone_log

    if export is not None:
        return phone_log.export(fob, device, Path(export))
    if verify is None:
        return phone_log.show(fob, device, limit)
    return phone_log.check(fob, device) if verify == _PHONE else phone_log.check_file(fob, Path(verify))


def _show_newest(fob: Fob, limit: int) -> int:
    entries = _entries(fob, limit)
    if fob.output.is_json:
        fob.output.data({"entries": entries})
        return ExitCode.OK
    if not entries and limit:
        fob.output.say("Nothing has used a key since the daemon started.")
    for entry in entries:
        _show(fob, entry)
    return ExitCode.OK


def _follow(fob: Fob, limit: int) -> int:
    """The exit code: Ctrl-C is how it ends, and nothing to be told."""
    try:
        _follow_to_the_end(fob, limit)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    raise ControlError("the log goes on no longer", "the daemon ended the conversation", "fob status")


def _follow_to_the_end(fob: Fob, limit: int) -> None:
    """The stream first: what happens between the two is in both, and told apart by its sequence."""
    with fob.client.stream("GET", "events") as events:
        last = 0
        for entry in _entries(fob, limit):
            last = _show(fob, entry)
        for event in events:
            new: Any = event.data
            if event.name == "log" and new["sequence"] > last:
                last = _show(fob, new)


def _entries(fob: Fob, limit: int) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = fob.client.get("log", limit=limit)["entries"]
    return entries


def _show(fob: Fob, entry: dict[str, Any]) -> int:
    """Print an entry; its sequence number."""
    if fob.output.is_json:
        fob.output.data(entry)
    else:
        fob.output.line(*_line(entry))
    sequence: int = entry["sequence"]
    return sequence


def _line(entry: dict[str, Any]) -> list[Part]:
    programs, words = " <- ".join(entry["programs"][:_PROGRAMS]), entry_words(entry)
    columns = f"{moment(entry['time'])}  {programs:<16}  {words:<24}  {entry['key']:<16}  {entry['device']:<12}  "
    return [columns, coloured(entry["result"]), f"  {entry['milliseconds']:.0f} ms"]


def entry_words(entry: dict[str, Any]) -> str:
    """What was done, for a person."""
    where = " from another machine" if entry["forwarded"] else ""
    match entry["operation"], entry["purpose"]:
        case "sign", LogPurpose.LOGIN:
            words = f"log in to {entry['host']}" if entry["host"] else "log in by ssh"
        case "sign", LogPurpose.SIGNATURE:
            words = f"sign for {entry['namespace']}"
        case "sign", LogPurpose.TLS_CLIENT:
            words = "log in by TLS"
        case operation, _:
            words = operation
    return words + where

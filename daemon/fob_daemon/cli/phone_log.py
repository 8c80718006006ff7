"""`fob log --phone`, `--verify`, `--export`: the history that the phone itself keeps and signs."""

import json
import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from fob_daemon.cli.context import Fob
from fob_daemon.cli.durations import moment
from fob_daemon.cli.history_json import (
    FILE_LIMIT,
    Exported,
    FileFormatError,
    anchor_json,
    entry_json,
    entry_of,
    export_json,
    import_json,
)
from fob_daemon.cli.history_reader import Read, read_all, read_newest
from fob_daemon.cli.out_files import write_file
from fob_daemon.control.errors import ControlError, ExitCode
from fob_protocol.history.entry import Entry, marked_name
from fob_protocol.history.head import Head
from fob_protocol.history.record import SignedRecord
from fob_protocol.history.verdict import Fault, Verdict
from fob_protocol.history.verify import Anchor, verify
from fob_protocol.history.words import entry_words, outcome_words

# Of an integrity value: enough to tell one from another at a glance.
_VALUE_DIGITS: Final = 12
# Of a 64-bit number; Python refuses 4,300 with a fault, and takes its time below that.
_DIGITS: Final = 20
_OTHERS: Final = "another computer, or the phone itself"


def show(fob: Fob, device_name: str | None, limit: int) -> int:
    """Print the newest entries, oldest first. Raises ControlError, behind what is there, when some are missing."""
    device = fob.device(device_name)
    records, due = read_newest(fob, device, limit)
    if fob.output.is_json:
        entries = [{"sequence": record.sequence, "entry": entry_json(entry_of(record))} for record in records]
        fob.output.data({"device": device["name"], "entries": entries})
    else:
        if not due and limit:
            fob.output.say(f"'{device['name']}' has done nothing yet.")
        for record in records:
            fob.output.line(_line(record))
    if len(records) < len(due):
        raise _not_whole(device, len(records), due)
    return ExitCode.OK


def check(fob: Fob, device_name: str | None) -> int:
    """Read all of it, say whether it is whole, and keep what was seen."""
    read = read_all(fob, fob.device(device_name))
    verdict = read.verdict()
    _tell(fob, read.device["name"], read.records, read.head, verdict)
    if verdict.is_good:
        _keep(fob, read)
        return ExitCode.OK
    raise _changed(read.device["name"], verdict, f"fob log --export evidence.json --device {_quoted(read)}")


def check_file(fob: Fob, path: Path) -> int:
    """The same for a file that `--export` wrote, on any computer and without a phone."""
    exported = _load(path)
    verdict = verify(exported.records, exported.head)
    # The file's name for the phone is not signed: it is not repeated.
    _tell(fob, None, exported.records, exported.head, verdict)
    if not verdict.is_good:
        raise _changed(None, verdict, "fob log --export FILE")
    if not fob.output.is_json:
        fob.output.line(f"signed by log key {exported.head.key.hex()}")
    return ExitCode.OK


def export(fob: Fob, device_name: str | None, path: Path) -> int:
    """Write all of it to a file, also when it was changed: then it is evidence."""
    read = read_all(fob, fob.device(device_name))
    name, serial = read.device["name"], read.device["serial"]
    text = json.dumps(export_json(Exported(name, serial, read.head, tuple(read.records))), indent=1) + "\n"
    try:
        write_file(path, text.encode())
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
        raise ControlError("the history was not written", why, "the same command with another FILE") from None
    verdict = read.verdict()
    if not verdict.is_good:
        raise _changed(name, verdict, f"fob log --verify {shlex.quote(str(path))}")
    _keep(fob, read)
    if fob.output.is_json:
        fob.output.data({"path": str(path), "entries": len(read.records), "key": read.head.key.hex()})
    else:
        fob.output.say(f"Wrote {len(read.records):,} entries to {path}.")
        fob.output.say(f"try:   fob log --verify {shlex.quote(str(path))}")
    return ExitCode.OK


def _keep(fob: Fob, read: Read) -> None:
    name = read.device["name"]
    anchor = Anchor.of(read.head)
    if read.seen is None:
        fob.output.say(f"From now on this computer knows '{name}' by its log key {anchor.key.hex()}.")
    fob.client.post("devices", name, "history", "seen", body=anchor_json(anchor))


def _tell(fob: Fob, name: str | None, found: Sequence[SignedRecord], head: Head, verdict: Verdict) -> None:
    if fob.output.is_json:
        fob.output.data(
            {
                "device": name,
                "verified": verdict.is_good,
                "fault": None if verdict.fault is None else verdict.fault.value,
                "sequence": verdict.sequence or None,
                "words": verdict.words(),
                "first": head.end.first,
                "length": head.end.length,
                "unseen": verdict.unseen,
                "key": head.key.hex(),
            }
        )
    elif verdict.is_good:
        last = f", the last of {_when(entry_of(found[-1]))}" if found else ""
        fob.output.line(f"verified {len(found):,} entries{last}")
        if verdict.unseen:
            fob.output.say(f"{verdict.unseen:,} entries had dropped out before this computer could see them.")


def _changed(name: str | None, verdict: Verdict, next_command: str) -> ControlError:
    """`name` None: of a file, which only says whose it is."""
    what = "the history in the file does not fit" if name is None else f"the history of '{name}' does not fit"
    if verdict.fault is Fault.OTHER_KEY:
        what = f"'{name}' is not the phone that it was"
    return ControlError(what, verdict.words(), next_command)


def _load(path: Path) -> Exported:
    """Raises ControlError."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > FILE_LIMIT:
                raise FileFormatError(f"it is over {FILE_LIMIT:,} octets")
            return import_json(json.loads(file.read(FILE_LIMIT), parse_int=_whole))
    except OSError as error:
        raise ControlError(f"{path} was not read", error.strerror or str(error), "fob log --export FILE") from None
    except (FileFormatError, json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ControlError(
            f"{path} holds no history that can be trusted", str(error), "fob log --export FILE"
        ) from None


def _whole(digits: str) -> int:
    """Raises FileFormatError for more digits than any number of a history has."""
    if len(digits) > _DIGITS:
        raise FileFormatError(f"a number in it has over {_DIGITS} digits")
    return int(digits)


def _line(record: SignedRecord) -> str:
    entry = entry_of(record)
    sequence = f"{record.sequence or 0:>6,}"
    if entry is None:
        return f"{sequence}  {'':<19}  {_OTHERS}"
    outcome = outcome_words(entry)
    said = f"{entry_words(_marked(entry))}{f': {outcome}' if outcome else ''}"
    return f"{sequence}  {_moment(entry)}  {said}{_measured(entry)}"


def _measured(entry: Entry) -> str:
    """The beginning of the integrity value of what did it; `--json` has all of it."""
    return f"  [{entry.integrity_value.hex()[:_VALUE_DIGITS]}]" if entry.integrity_value else ""


def _marked(entry: Entry) -> Entry:
    """As the phone's screen tells computers of one name apart; whether there are such ones only the phone knows."""
    return replace(entry, pc_name=marked_name(entry.pc_name, entry.computer)) if entry.pc_name else entry


def _when(entry: Entry | None) -> str:
    return _moment(entry) if entry is not None else _OTHERS


def _moment(entry: Entry) -> str:
    return f"{moment(entry.time):<19}"


def _not_whole(device: dict[str, Any], found: int, due: range) -> ControlError:
    return ControlError(
        f"the history of '{device['name']}' is not whole",
        f"the phone has {found:,} of its newest {len(due):,} entries, {due.start:,} to {due.stop - 1:,}",
        f"fob log --verify --device {shlex.quote(device['name'])}",
    )


def _quoted(read: Read) -> str:
    return shlex.quote(read.device["name"])

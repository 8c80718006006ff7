"""A phone's history as JSON: the control socket's form in, and a file that a third party can check out and in."""

from dataclasses import dataclass
from typing import Any, Final

from fob_daemon.control.json_form import Json
from fob_protocol.errors import AtSyntaxError
from fob_protocol.history.entry import Entry
from fob_protocol.history.head import Head
from fob_protocol.history.record import SignedRecord
from fob_protocol.history.verify import Anchor

FORMAT: Final = "fob-history-1"
# A file of HISTORY_LIMIT records of the largest size, in hexadecimal and once more in words.
FILE_LIMIT: Final = 256 * 1024 * 1024


class FileFormatError(ValueError):
    """The file holds no history; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What a file holds; `device` and `serial` are what whoever wrote it says."""

    device: str
    serial: str
    head: Head
    records: tuple[SignedRecord, ...]


def record_from_json(value: dict[str, Any]) -> SignedRecord:
    """Raises KeyError, TypeError, ValueError for another form."""
    return SignedRecord(
        bytes.fromhex(value["record"]),
        bytes.fromhex(value["signature"]),
        _optional(value["salt"]),
        _optional(value["details"]),
    )


def head_from_json(value: dict[str, Any], nonce: bytes) -> Head:
    """Raises AtSyntaxError for an end that there is not; KeyError, TypeError, ValueError for another form."""
    octets = (bytes.fromhex(value["hash"]), nonce, bytes.fromhex(value["key"]), bytes.fromhex(value["signature"]))
    return Head.from_fields(_number(value["first"]), _number(value["length"]), *octets)


def anchor_from_json(value: dict[str, Any] | None) -> Anchor | None:
    """What was seen before. Raises as `head_from_json`."""
    if value is None:
        return None
    return Anchor(bytes.fromhex(value["key"]), _number(value["length"]), bytes.fromhex(value["hash"]))


def anchor_json(anchor: Anchor) -> dict[str, Json]:
    """For the daemon to keep."""
    return {"key": anchor.key.hex(), "length": anchor.length, "hash": anchor.hash.hex()}


def entry_json(entry: Entry | None) -> Json:
    """What an entry says; None for another computer's."""
    if entry is None:
        return None
    caller = entry.caller
    # Left out where there is none, as in files of before.
    measured: dict[str, Json] = {"integrity_value": entry.integrity_value.hex()} if entry.integrity_value else {}
    return measured | {
        "kind": _name(entry.kind.name),
        "outcome": _name(entry.outcome.name),
        "by": _name(entry.by.name),
        "time": entry.time,
        "boot": entry.boot,
        "computer": entry.computer.hex(),
        "pc_name": entry.pc_name,
        "programs": list(caller.programs),
        "purpose": _name(caller.purpose.name),
        "host": caller.host,
        "namespace": caller.namespace,
        "forwarded": caller.is_forwarded,
        "operation": _name(entry.use.name),
        "key": entry.key_label,
        "handle": entry.key,
        "uses": entry.uses,
        "words": entry.words,
    }


def entry_of(record: SignedRecord) -> Entry | None:
    """What a record says, None where it says nothing to this computer."""
    try:
        return None if not record.details else Entry.from_block(record.details)
    except AtSyntaxError:
        return None


def export_json(exported: Exported) -> Json:
    """Everything that a check needs, and the entries in readable form beside their octets.

    `device` and `serial` are this computer's word: nothing in the file signs them.
    """
    head = exported.head
    return {
        "format": FORMAT,
        "device": exported.device,
        "serial": exported.serial,
        "key": head.key.hex(),
        "head": {
            "first": head.end.first,
            "length": head.end.length,
            "hash": head.end.hash.hex(),
            "nonce": head.nonce.hex(),
            "signature": head.signature.hex(),
        },
        "records": [_record_json(record) for record in exported.records],
    }


def import_json(value: Any) -> Exported:
    """What `export_json` made. Raises FileFormatError, also where an entry's readable form is not what was signed."""
    try:
        if value["format"] != FORMAT:
            raise FileFormatError(f"its format is not {FORMAT}")
        head = head_from_json(value["head"] | {"key": value["key"]}, bytes.fromhex(value["head"]["nonce"]))
        records = tuple(_checked(item) for item in value["records"])
        return Exported(str(value["device"]), str(value["serial"]), head, records)
    except AtSyntaxError as error:
        raise FileFormatError(str(error)) from None
    except FileFormatError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError):
        raise FileFormatError("a field is missing, or is of another kind") from None


def _record_json(record: SignedRecord) -> Json:
    return {
        "sequence": record.sequence,
        "record": record.block.hex(),
        "signature": record.signature.hex(),
        "salt": None if record.salt is None else record.salt.hex(),
        "details": None if record.details is None else record.details.hex(),
        "entry": entry_json(entry_of(record)),
    }


def _checked(item: dict[str, Any]) -> SignedRecord:
    """Only the octets are signed: what a person reads has to say the same."""
    record = record_from_json(item)
    if item["sequence"] != record.sequence or item["entry"] != entry_json(entry_of(record)):
        raise FileFormatError(f"what it says of entry {record.sequence} is not what was signed")
    return record


def _optional(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a number is due")
    return value


def _name(name: str) -> str:
    return "" if name == "NONE" else name.lower().replace("_", "-")

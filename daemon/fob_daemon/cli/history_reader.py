"""Reading a phone's history over the control socket."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fob_daemon.cli.context import Fob
from fob_daemon.cli.history_json import anchor_from_json, head_from_json, record_from_json
from fob_daemon.cli.progress import Progress
from fob_daemon.control.errors import ControlError
from fob_protocol.errors import AtSyntaxError
from fob_protocol.history.head import Head
from fob_protocol.history.limits import HISTORY_LIMIT, HISTORY_NONCE
from fob_protocol.history.record import SignedRecord
from fob_protocol.history.verdict import Verdict
from fob_protocol.history.verify import Anchor, verify


@dataclass(frozen=True, slots=True)
class Read:
    """A phone's history as it was read; `seen` is what this computer saw before."""

    device: dict[str, Any]
    records: list[SignedRecord]
    head: Head
    seen: Anchor | None

    def verdict(self) -> Verdict:
        """Whether it is whole, and continues what was seen."""
        return verify(self.records, self.head, self.seen)


def read_all(fob: Fob, device: dict[str, Any]) -> Read:
    """All records, then the head, then what was added meanwhile: so nothing is missing at either end."""
    name = device["name"]
    expected = _read_head(fob, name)[0].end
    with Progress(fob.output, f"Reading the history of '{name}'", expected.length - expected.first + 1) as progress:
        records, following = _read_from(fob, name, 1, HISTORY_LIMIT + 1, progress)
        head, seen = _read_head(fob, name)
        if following <= head.end.length:
            more, _ = _read_from(fob, name, following, head.end.length - following + 1, progress)
            records += _up_to(more, head.end.length)
    return Read(device, _from(records, head.end.first), head, seen)


def read_newest(fob: Fob, device: dict[str, Any], limit: int) -> tuple[list[SignedRecord], range]:
    """The newest `limit` records, oldest first, not checked; and the sequences of those that the head tells of."""
    name = device["name"]
    end = _read_head(fob, name)[0].end
    due = range(max(end.length - limit + 1, end.first), end.length + 1)
    return _read_from(fob, name, due.start, limit, None)[0][:limit] if limit else [], due


def _read_from(
    fob: Fob, name: str, sequence: int, most: int, progress: Progress | None
) -> tuple[list[SignedRecord], int]:
    """Records from `sequence` on, until there are no more or more than `most`; and where to go on."""
    records: list[SignedRecord] = []
    is_more = True
    while is_more and len(records) <= most:
        page = fob.client.get("devices", name, "history", **{"from": sequence})
        with _understanding(name):
            found = [record_from_json(item) for item in page["records"]]
            following, is_more = int(page["next"]), bool(page["more"]) and bool(found)
        if is_more and following <= sequence:
            raise _not_understood(name)
        records, sequence = records + found, following
        if progress is not None:
            progress.show(len(records))
    return records, sequence


def _read_head(fob: Fob, name: str) -> tuple[Head, Anchor | None]:
    """The end of the history, signed just now, and what was seen before."""
    nonce = secrets.token_bytes(HISTORY_NONCE)
    answer = fob.client.get("devices", name, "history", "head", nonce=nonce.hex())
    with _understanding(name):
        return head_from_json(answer, nonce), anchor_from_json(answer["seen"])


def _up_to(records: list[SignedRecord], length: int) -> list[SignedRecord]:
    """Without those that were added after the head."""
    while records and (records[-1].sequence or 0) > length:
        records = records[:-1]
    return records


def _from(records: list[SignedRecord], first: int) -> list[SignedRecord]:
    """Without those that dropped while it was read."""
    dropped = 0
    while dropped < len(records) and 0 < (records[dropped].sequence or first) < first:
        dropped += 1
    return records[dropped:]


@contextmanager
def _understanding(name: str) -> Iterator[None]:
    """The daemon's answer is read in the block. Raises ControlError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AtSyntaxError):
        raise _not_understood(name) from None


def _not_understood(name: str) -> ControlError:
    return ControlError(f"the history of '{name}' was not read", "the daemon's answer is not understood", "fob doctor")

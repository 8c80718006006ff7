"""Passes that end soon are renewed before the processes of this machine start: none of them may be good any more."""

from pathlib import Path
from typing import Final

import structlog
from msgspec.structs import replace

from fob_office.centre.boxes.alone import alone_in
from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import BoxFolder, open_folder, was_tampered_with
from fob_office.centre.boxes.identity import ADMISSION, Admission, public_of, public_of_pass, read_identity
from fob_office.centre.boxes.manufacturing import ManufacturingBox
from fob_office.centre.bus.directory import FILE, Entry, read_entries, write_entries
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Pass, read_pass
from fob_office.centre.places import MANUFACTURING
from fob_office.centre.supervising.history import History
from fob_office.surroundings import Surroundings

log = structlog.get_logger(__name__)

# Seconds before the end of a pass: time for whatever is in the way, and to copy the directory to other machines.
RENEW_TIME: Final = 200 * 24 * 3600


def renew_passes(centre: Path, surroundings: Surroundings) -> str:
    """While nothing runs: of all processes, the operators too.

    Without a manufacturing box that is whole none is, and the others go on by theirs. One that was put back is shown
    first what it signed since then: what that was, in words, else empty. Raises DirectoryError, PassError,
    BusRefusedError, OperatorError, OSError.
    """
    if not (centre / MANUFACTURING).is_dir():
        return ""
    # One that its supervisor left behind may be at work still.
    with alone_in(centre / MANUFACTURING):
        try:
            box = ManufacturingBox(_open(centre, MANUFACTURING, surroundings), surroundings)
        except TamperedError as error:
            log.critical("no pass is renewed", why=error.why)
            return ""
        entries = read_entries(centre / FILE)
        forgotten = box.remember(History(centre, box.public_key).newest_signed, [entry.shown for entry in entries])
        wanted = _wanted(centre, box, entries, surroundings.clock())
        renewed = [_renewed(centre, box, entry, surroundings) if entry.name in wanted else entry for entry in entries]
        if renewed != entries:
            write_entries(centre, renewed)
        return forgotten


def is_due(shown: Pass, now: int) -> bool:
    """Whether this pass is to be renewed."""
    return shown.not_after <= now + RENEW_TIME


def ends_first(centre: Path, manufacturing: bytes) -> int | None:
    """When the first of all passes is over, but of what was tampered with. Raises DirectoryError, PassError."""
    entries = (entry for entry in read_entries(centre / FILE) if not was_tampered_with(centre / entry.name))
    return min((read_pass(manufacturing, entry.shown).not_after for entry in entries), default=None)


def _wanted(centre: Path, box: ManufacturingBox, entries: list[Entry], now: int) -> frozenset[str]:
    """Names: those that are due; all where the directory was put back, as others have seen newer passes than it has."""
    passes = [read_pass(box.public_key, entry.shown) for entry in entries]
    was_put_back = box.passes > max((shown.number for shown in passes), default=0)
    return frozenset(
        entry.name
        for entry, shown in zip(entries, passes, strict=True)
        if (was_put_back or is_due(shown, now))
        # Of what is over, only what stands here: keys that somebody kept are let in by no line of a file.
        and (now <= shown.not_after or (centre / entry.name).is_dir())
    )


def _renewed(centre: Path, box: ManufacturingBox, entry: Entry, surroundings: Surroundings) -> Entry:
    """The same where it cannot be: the others start without it."""
    try:
        shown = _given(centre, box, entry, surroundings)
    except TamperedError:
        # It starts no more, and says so itself.
        return entry
    except BusRefusedError as error:
        log.error("a pass is not renewed", name=entry.name, why=str(error))
        return entry
    log.info("a pass was renewed", name=entry.name)
    return replace(entry, shown=shown)


def _given(centre: Path, box: ManufacturingBox, entry: Entry, surroundings: Surroundings) -> bytes:
    if not (centre / entry.name).is_dir():
        # Its machine has it when the directory is copied there.
        return box.admit(public_of_pass(read_pass(box.public_key, entry.shown))).shown
    folder = _open(centre, entry.name, surroundings)
    # What somebody changed is found, and not put right.
    folder.read(ADMISSION)
    given = box.admit(public_of(read_identity(folder)))
    folder.write(ADMISSION, Admission(box.public_key, given.shown).octets())
    return given.shown


def _open(centre: Path, name: str, surroundings: Surroundings) -> BoxFolder:
    return open_folder(centre / name, name, surroundings.random)

"""What the boot record does not speak of is deleted: it is the rest of an installation that ended or was cut."""

from collections.abc import Iterator

from fob_device.components.boot_record import COPIES, BootRecord, Held, Phase
from fob_device.components.contents import content_file, part_file
from fob_device.components.set_files import SetFiles, set_file
from fob_device.components.storage import Storage
from fob_protocol.office.errors import OfficeError


def tidy(storage: Storage, record: BootRecord) -> None:
    """Call it when the record is certainly on the disk. While a set's file is damaged, nothing of contents goes."""
    held = [held for held in (record.confirmed, record.candidate) if held is not None]
    keep = {*COPIES, *(set_file(one.slot) for one in held)}
    try:
        keep |= set(_contents(storage, held, record.phase))
    except OfficeError:
        keep |= {name for name in storage.names() if not name.startswith("set-")}
    # Not flushed: what comes back is deleted again.
    for name in storage.names():
        if name not in keep:
            storage.delete(name)


def _contents(storage: Storage, held: list[Held], phase: Phase) -> Iterator[str]:
    for one in held:
        for release in SetFiles(storage).releases(one):
            yield content_file(release)
            if phase is Phase.FETCHING:
                yield part_file(release)

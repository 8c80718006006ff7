"""The list of a manifest and the releases that came with it belong together one to one (mix-and-match, and its kin)."""

from collections.abc import Sequence

from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.manifest import Entry
from fob_protocol.office.release import Release

# The digest of a signed release, and what it says.
Came = tuple[bytes, Release]


def pair_up(entries: Sequence[Entry], came: Sequence[Came], keys: int) -> None:
    """Line by line a release of this digest and component, and a key. Raises OfficeError."""
    _check_once(entries)
    _check_listed(entries, came)
    if [entry.release for entry in entries] != [digest for digest, _ in came]:
        raise OfficeError(Fault.MIX_AND_MATCH, "the releases are not those of the list, one by one")
    if keys != len(entries):
        raise OfficeError(Fault.MIX_AND_MATCH, f"{keys} content keys for {len(entries)} releases")
    for entry, (_, release) in zip(entries, came, strict=True):
        if entry.component != release.id:
            raise OfficeError(
                Fault.UNKNOWN_ID, f"{entry.component} is the name of no release; that one is {release.id}"
            )


def _check_once(entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.component in seen:
            raise OfficeError(Fault.DUPLICATE_ID, f"{entry.component} stands in the list twice")
        seen.add(entry.component)


def _check_listed(entries: Sequence[Entry], came: Sequence[Came]) -> None:
    """A release that has no line, neither by its name nor by its digest, is one too many."""
    names = {entry.component for entry in entries}
    digests = {entry.release for entry in entries}
    needed = {dependency.id for _, release in came for dependency in release.dependencies}
    for digest, release in came:
        if release.id not in names and digest not in digests:
            fault = Fault.MISSING_ENTRY if release.id in needed else Fault.EXTRANEOUS_DEPENDENCY
            raise OfficeError(fault, f"{release.id} came, and has no line in the list")

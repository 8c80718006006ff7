"""The program vector table: where each component of a set stands, and when it starts (C16)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fob_office.components.candidates import Candidate
from fob_protocol.office.component import Kind
from fob_protocol.office.configuration import Granted, Notice
from fob_protocol.office.factory import Region, RegionUse
from fob_protocol.office.limits import ANSWER_LIMIT, COMPONENTS_LIMIT, SET_LIMIT, TITLE_LIMIT
from fob_protocol.office.manifest import Entry

# Components begin at such addresses.
ALIGNMENT: Final = 16
_USES: Final = {Kind.MODULE: RegionUse.MODULES, Kind.DATA: RegionUse.DATA}

# Around what a Granted holds: the manifest's own elements and signature, the envelope's time, signature and seals.
_AROUND: Final = 1024
# A content key that is sealed to a device: key, tag, encapsulated key, and the object around them.
_KEY_SIZE: Final = 160
# A line of the table, and a notice, with the longest names.
_ENTRY_SIZE: Final = 3 * TITLE_LIMIT


class NotFittingError(Exception):
    """Why a set fits not into a device, or not into an answer."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A component with its line."""

    candidate: Candidate
    entry: Entry


def arrange(chosen: Mapping[str, Candidate], regions: Sequence[Region]) -> list[Placed]:
    """In the order in which they start: what is depended on comes first. Raises NotFittingError."""
    _check_limits(chosen)
    places = _places(list(chosen.values()), regions)
    return [
        Placed(candidate, Entry(candidate.release.id, candidate.digest, *places[candidate.release.id], order))
        for order, candidate in enumerate(_in_order(chosen), 1)
    ]


def _check_limits(chosen: Mapping[str, Candidate]) -> None:
    if len(chosen) > COMPONENTS_LIMIT:
        raise NotFittingError(f"{len(chosen)} components with all that they need, and a set has {COMPONENTS_LIMIT}")
    if (size := sum(candidate.release.size for candidate in chosen.values())) > SET_LIMIT:
        raise NotFittingError(f"{size} octets of components, and a set has {SET_LIMIT}")
    if (size := answer_size(chosen)) > ANSWER_LIMIT:
        raise NotFittingError(f"an answer of {size} octets, and one has {ANSWER_LIMIT}")


def answer_size(chosen: Mapping[str, Candidate]) -> int:
    """Octets of the sealed answer that grants this set, and not less."""
    certificates = {candidate.certificate for candidate in chosen.values()}
    granted = Granted(
        bytes(_ENTRY_SIZE * len(chosen)),
        tuple(candidate.signed for candidate in chosen.values()),
        tuple(certificates),
        (bytes(_KEY_SIZE),) * len(chosen),
        bytes(32), bytes(256),
        (Notice("x" * 32, (255, 255, 255), (255, 255, 255)),) * COMPONENTS_LIMIT,
    )  # fmt: skip
    return len(granted.octets()) + _AROUND


def _places(candidates: list[Candidate], regions: Sequence[Region]) -> dict[str, tuple[str, int]]:
    """The region and address of each: the largest first, each at the first place where it fits."""
    free = {region.name: region.start for region in regions}
    places: dict[str, tuple[str, int]] = {}
    for candidate in sorted(candidates, key=lambda one: (-one.release.size, one.release.id)):
        release = candidate.release
        for region in regions:
            start = -(-free[region.name] // ALIGNMENT) * ALIGNMENT
            if region.use is _USES[release.kind] and start + release.size <= region.start + region.size:
                places[release.id] = (region.name, start)
                free[region.name] = start + release.size
                break
        else:
            use = _USES[release.kind].name.lower()
            raise NotFittingError(f"no room for {release.id} ({release.size} octets) in the regions for {use}")
    return places


def _in_order(chosen: Mapping[str, Candidate]) -> list[Candidate]:
    """By id, as far as dependencies let."""
    ordered: dict[str, Candidate] = {}

    def start(candidate: Candidate) -> None:
        for needed in sorted(candidate.release.dependencies, key=lambda one: one.id):
            if needed.id not in ordered:
                start(chosen[needed.id])
        ordered[candidate.release.id] = candidate

    for name in sorted(chosen):
        if name not in ordered:
            start(chosen[name])
    return list(ordered.values())

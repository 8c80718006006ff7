"""Which releases a device's options come to: of each the newest one that suits, with all that it needs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fob_office.components.candidates import Candidate, Candidates
from fob_office.components.tables import ReleaseState
from fob_protocol.office.component import Component
from fob_protocol.office.limits import COUNTER_STEP
from fob_protocol.office.message import Version

# Whether a release that is staged may be given.
Admits = Callable[[Candidate], bool]


@dataclass(frozen=True, slots=True)
class Wish:
    """For whom a set is made. `installed`: what the device says that it holds, by id."""

    hardware: str
    now: int
    security_counter: int = 0
    installed: dict[str, Component] = field(default_factory=dict)

    def suits(self, candidate: Candidate) -> bool:
        """Whether the device would take the release: its hardware, its time, its counter, no rollback (C26)."""
        release = candidate.release
        held = self.installed.get(release.id)
        return (
            self.hardware in release.hardware
            and candidate.until > self.now
            and self.security_counter <= release.security_counter <= self.security_counter + COUNTER_STEP
            and (held is None or release.version >= held.version)
        )

    def holds(self, candidate: Candidate) -> bool:
        """Whether it is the installed one."""
        return self.installed.get(candidate.release.id) == candidate.release.component


def is_admitted(wish: Wish, candidate: Candidate, admits: Admits) -> bool:
    """Whether this device may be given the release. What it holds it keeps, also when that was withdrawn."""
    if wish.holds(candidate) or candidate.state is ReleaseState.AVAILABLE:
        return True
    return candidate.state is ReleaseState.STAGED and admits(candidate)


class Selection:
    """What a wish comes to. Dependencies never make a circle: none is released."""

    def __init__(self, candidates: Candidates, wish: Wish, admits: Admits) -> None:
        self._suitable = {
            component: [one for one in listed if wish.suits(one) and is_admitted(wish, one, admits)]
            for component, listed in candidates.items()
        }
        self._chosen: dict[str, Candidate | None] = {}

    def newest(self, component: str) -> Version | None:
        """Of which a device may be told (C11); None: there is none for it."""
        suitable = self._suitable.get(component)
        return suitable[0].release.version if suitable else None

    def choose(self, component: str) -> Candidate | None:
        """The newest release whose dependencies are met too; None: there is none for this device now."""
        if component not in self._chosen:
            suitable = self._suitable.get(component, [])
            self._chosen[component] = next((one for one in suitable if self._is_complete(one)), None)
        return self._chosen[component]

    def lacking(self, options: Iterable[str]) -> list[str]:
        """Of which there is no release for this device now, with all that it needs."""
        return sorted(option for option in set(options) if self.choose(option) is None)

    def set_of(self, options: Iterable[str]) -> dict[str, Candidate]:
        """By id: the options that there are for this device, and what they need."""
        found: dict[str, Candidate] = {}
        waiting = list(options)
        while waiting:
            candidate = self.choose(waiting.pop())
            if candidate is not None and candidate.release.id not in found:
                found[candidate.release.id] = candidate
                waiting += [needed.id for needed in candidate.release.dependencies]
        return found

    def _is_complete(self, candidate: Candidate) -> bool:
        for needed in candidate.release.dependencies:
            chosen = self.choose(needed.id)
            if chosen is None or chosen.release.version < needed.least:
                return False
        return True

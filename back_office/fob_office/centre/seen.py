"""The data centre as the office sees it: by the files that its supervisor writes, and by no key."""

from dataclasses import dataclass
from pathlib import Path

from fob_office.centre.places import has_centre
from fob_office.centre.supervising.figures import Figures, read_figures
from fob_office.centre.supervising.status import Status, status_now
from fob_office.centre.troubles import troubles_of


@dataclass(frozen=True, slots=True)
class Seen:
    """`status`: None while nothing runs. `figures` are the last ones that there were."""

    status: Status | None
    figures: Figures

    @property
    def state(self) -> str:
        """In a word or two, as `centre status` says it."""
        if self.status is None:
            return "stopped"
        return "ready" if self.status.is_ready else "not ready"

    @property
    def troubles(self) -> list[str]:
        """What an operator has to do something about."""
        return troubles_of(self.status) if self.status is not None else []


def see_centre(state: Path, centre: Path) -> Seen | None:
    """Of an office in `state`; None: it has none. Raises OSError."""
    if not has_centre(state):
        return None
    return Seen(status_now(centre), read_figures(centre))

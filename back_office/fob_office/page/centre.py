"""The page of the data centre: processes, the log, what was refused that should not have come, what was done."""

from collections import Counter
from dataclasses import dataclass

from fob_office.centre.limits import SLOTS
from fob_office.centre.places import centre_folder
from fob_office.centre.seen import Seen, see_centre
from fob_office.centre.supervising.figures import Warned
from fob_office.centre.supervising.status import ProcessStatus
from fob_office.office import Office


@dataclass(frozen=True, slots=True)
class CentrePage:
    """`done` and `refused`: by word, of all function servers since each began, the most frequent first."""

    seen: Seen
    slots: int
    processes: tuple[ProcessStatus, ...]
    warnings: tuple[Warned, ...]
    pieces: int
    done: tuple[tuple[str, int], ...]
    refused: tuple[tuple[str, int], ...]
    waiting: int


def centre_page(office: Office) -> CentrePage | None:
    """None: this office has no data centre. Raises OSError."""
    seen = see_centre(office.settings.state, centre_folder(office.settings.state))
    if seen is None:
        return None
    done: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    functions = seen.figures.functions.values()
    for served in functions:
        done.update(served.done)
        refused.update(served.refused)
    return CentrePage(
        seen,
        SLOTS,
        seen.status.processes if seen.status is not None else (),
        seen.figures.newest[::-1],
        sum(served.pieces for served in functions),
        tuple(done.most_common()),
        tuple(refused.most_common()),
        sum(carried.waiting for carried in seen.figures.communication.values()),
    )

"""What a supervisor leaves for the office, without any data centre behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fob_office.centre.places import CentreSettings, centre_folder, save_centre
from fob_office.centre.supervising.figures import Carried, Figures, Served, Warned, write_figures
from fob_office.centre.supervising.lock import supervising
from fob_office.centre.supervising.status import ProcessStatus, Status, write_status


@contextmanager
def seen_centre(state: Path, now: int, why: str = "record 7 is older than the standing") -> Iterator[Path]:
    """Its folder, while somebody seems to supervise it."""
    folder = centre_folder(state)
    folder.mkdir(mode=0o700)
    save_centre(folder, CentreSettings())
    processes = (
        ProcessStatus("meter-1", "meter", "ready", 101, 2, 5, 64),
        ProcessStatus("meter-2", "meter", "tampered", None, 0, 4, 0),
        ProcessStatus("function-1", "function", "ready", 103),
    )
    write_status(folder, Status(100, True, 5, 64, processes))
    warned = (Warned(1, "tampering", "FM0100000017", why, now - 7200),)
    functions = {"function-1": Served({"frank": 40, "load": 2}, 1234, {"insufficient-funds": 3})}
    write_figures(folder, Figures(1, 4321, now - 60, 1, warned, functions, {"communication-1": Carried(45, 1, 4)}))
    with supervising(folder):
        yield folder

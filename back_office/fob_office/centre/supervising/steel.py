"""Looks at steel boxes again and again: whether one knows less than it once did, as its folder was put back."""

import asyncio
from collections.abc import Callable, Iterable

import structlog

from fob_office.centre.bus.errors import BusRefusedError, DirectoryError
from fob_office.centre.operating.recovering import Asking
from fob_office.centre.operating.steel_knowing import put_back_among
from fob_office.centre.supervising.limits import STEEL_PAUSE
from fob_office.centre.supervising.warnings import Warnings
from fob_office.centre.view_file import ViewFile

log = structlog.get_logger(__name__)


class SteelWatch:
    """Of all of them; `names` says which run. `changed` is called when something is known that was not."""

    def __init__(
        self, operator: Asking, views: ViewFile, names: Callable[[], Iterable[str]], warnings: Warnings,
        changed: Callable[[], None],
    ) -> None:  # fmt: skip
        # By name, how it shows.
        self.found: dict[str, str] = {}
        self._operator = operator
        self._views = views
        self._names = names
        self._warnings = warnings
        self._changed = changed
        # At the look before: keys are given to one box after another.
        self._suspected: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(STEEL_PAUSE)
            try:
                self._see(await put_back_among(self._operator, list(self._names()), self._views))
            except (BusRefusedError, DirectoryError, OSError) as error:
                log.warning("steel boxes are not looked at", why=str(error))

    def _see(self, suspected: dict[str, str]) -> None:
        found = {name: why for name, why in suspected.items() if name in self._suspected}
        self._suspected = frozenset(suspected)
        for name in found.keys() - self.found.keys():
            why = f"{name} was put back to an older folder: {found[name]}"
            self._warnings.add(why, f"box add steel, and fob-office centre box remove {name}")
        if found != self.found:
            self.found = found
            self._changed()

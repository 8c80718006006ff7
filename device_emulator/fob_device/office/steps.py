"""How far a download is, in steps that take about as long as one another over a slow line."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from fob_device.components.installer import Wanted
from fob_device.components.offer import Item
from fob_protocol.office.limits import CHUNK_SIZE

# Octets of content. A question and the seals around its answer take about as many.
STEP: Final = 1024


class Steps:
    """Of all chunks of a set: one for the question, and one for each STEP that has begun."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._steps: Mapping[Wanted, int] = {
            Wanted(item.entry.release, index): 1 - (-min(CHUNK_SIZE, item.release.size - index * CHUNK_SIZE) // STEP)
            for item in items
            for index in range(len(item.release.chunks))
        }
        self.total = sum(self._steps.values())

    def done(self, missing: Iterable[Wanted]) -> int:
        """When these chunks are not there yet."""
        return self.total - sum(self._steps[wanted] for wanted in missing)

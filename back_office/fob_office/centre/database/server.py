"""What a database server answers (fob_office.centre.commands.database)."""

from collections.abc import Callable
from functools import partial
from typing import Final

from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.database import (
    Fetch,
    Fetched,
    Store,
    Stored,
)
from fob_office.centre.database import reading
from fob_office.centre.database.keeping import Keeper
from fob_office.centre.database.prepared import prepare

_FUNCTION: Final = (Kind.FUNCTION,)
_OPERATOR: Final = (Kind.OPERATOR,)
_BOTH: Final = (Kind.FUNCTION, Kind.OPERATOR)


class DatabaseServer:
    """`clock`: seconds since 1970. `grown` is told how many entries the log got."""

    def __init__(self, keeper: Keeper, clock: Callable[[], int], grown: Callable[[int], None]) -> None:
        self._keeper = keeper
        self._clock = clock
        self._grown = grown

    def table(self) -> Table:
        """Who may ask what."""
        return {
            Fetch: row(_BOTH, self.fetch),
            Store: row(_FUNCTION, self.store),
        }

    async def fetch(self, _: Pass, asked: Fetch) -> Fetched:
        """In one look."""
        return await self._keeper.read(partial(reading.fetch, asked=asked))

    async def store(self, _: Pass, asked: Store) -> Stored:
        """Durable."""
        prepared = prepare(asked, self._clock())
        stored = await self._keeper.store(prepared)
        if stored.is_new:
            self._grown(len(prepared.leaves))
        return stored

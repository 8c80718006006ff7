"""A database server in its process."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import structlog

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.duties import duties
from fob_office.centre.bus.answering import Table
from fob_office.centre.bus.asking import Link, Links
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.bus.signers import Key, Signers
from fob_office.centre.database.checkpoints import Checkpointer
from fob_office.centre.database.keeping import Keeper, open_keeper
from fob_office.centre.database.limits import ERASE_PAUSE, ERASE_SOON, ERASED_AT_ONCE
from fob_office.centre.database.noting import erase
from fob_office.centre.database.server import DatabaseServer
from fob_office.surroundings import Surroundings

log = structlog.get_logger(__name__)

# Where the meters' database is; SQLite in the process's own folder where nothing is said.
URL_VARIABLE: Final = "FOB_METERS_DATABASE"
FILE: Final = "meters.db"


def meters_url(box: Box) -> str:
    """For `migrate_meters` and `open_keeper`."""
    return os.environ.get(URL_VARIABLE) or f"sqlite:///{box.folder.path.absolute() / FILE}"


@asynccontextmanager
async def database_server(box: Box) -> AsyncIterator[Table]:
    """The factory of kind DATABASE. Raises OperatorError when the database is not there, or of another version."""
    keeper = open_keeper(meters_url(box))
    try:
        signer, provider = (
            Signers(box.links.directory, box.me.trust, kind).key for kind in (Kind.TRANSACTION, Kind.PAYMENT)
        )
        async with serving(keeper, box.links, box.surroundings, signer, provider) as server:
            yield server.table()
    finally:
        # Its threads end what they have begun.
        await asyncio.to_thread(keeper.close)


@asynccontextmanager
async def serving(
    keeper: Keeper, links: Links, surroundings: Surroundings, signer: Key, provider: Key
) -> AsyncIterator[DatabaseServer]:
    """With what goes on beside questions: checkpoints, and erasing what is over."""
    checkpointer = Checkpointer(keeper, partial(_boxes, links), surroundings.clock)
    # What was stored before the process last ended.
    checkpointer.grow(1)

    async def erasing() -> None:
        await _erase(keeper, surroundings)

    async with duties(checkpointer.run, erasing):
        yield DatabaseServer(keeper, surroundings.clock, checkpointer.grow, signer, provider)


def _boxes(links: Links) -> Iterator[Link]:
    return (links.to(entry.name) for entry in links.directory.of_kind(Kind.TRANSACTION))


async def _erase(keeper: Keeper, surroundings: Surroundings) -> None:
    while True:
        erased = 0
        try:
            erased = await keeper.write(partial(erase, now=surroundings.clock()))
        except BusRefusedError as refused:
            log.error("nothing was erased", word=refused.word, why=refused.why)
        await asyncio.sleep(ERASE_SOON if erased >= ERASED_AT_ONCE else ERASE_PAUSE)

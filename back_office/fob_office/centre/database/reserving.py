"""Indicia that are being given back: the post and the mailer never both have one (M27, M29).

Whoever writes locks the log's head first, so a scan comes before a reservation, or after it.
"""

from functools import cache
from typing import Final

from sqlalchemy import Connection, Executable, bindparam, select, update

from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import Release, Reserve
from fob_office.centre.database.inserting import insert_into
from fob_office.centre.database.issued import is_issued
from fob_office.centre.database.leaves import Reserved, leaf
from fob_office.centre.database.log import append, damaged, lock_head
from fob_office.centre.database.prepared import place_of
from fob_office.centre.database.tables import INDICIA, RESERVATIONS
from fob_office.centre.words import Word
from fob_protocol.metering.log.entry import Kind
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.office.hashing import digest

_SEEN: Final = select(INDICIA.c.seen).where(
    INDICIA.c.digest == bindparam("its_digest"), INDICIA.c.given_back == 0, INDICIA.c.seen > 0
)
_OPEN: Final = (
    select(RESERVATIONS.c.id).where(RESERVATIONS.c.digest == bindparam("its_digest"), RESERVATIONS.c.is_open == 1)
).limit(1)
_MINE: Final = select(RESERVATIONS.c.is_open).where(
    RESERVATIONS.c.digest == bindparam("its_digest"), RESERVATIONS.c.id == bindparam("its_id")
)
_CLOSE: Final = (
    update(RESERVATIONS)
    .where(RESERVATIONS.c.digest == bindparam("its_digest"), RESERVATIONS.c.id == bindparam("its_id"))
    .values(is_open=0)
)


def reserve(connection: Connection, asked: Reserve) -> Done:
    """Once or again. Raises BusRefusedError NO_REFUND, DAMAGED."""
    frontier, its_digest = lock_head(connection), digest(asked.indicium)
    if not is_issued(connection, *place_of(asked.indicium), asked.indicium):
        # Its token may be right: nobody knows any more whether the post has seen it.
        raise BusRefusedError(Word.NO_REFUND, "no transaction that is kept made it; it can be used")
    if was_seen(connection, its_digest):
        raise BusRefusedError(Word.NO_REFUND, "the post has seen it")
    if _is_open(connection, asked) != 1:
        row = {"digest": its_digest, "id": asked.request_id}
        connection.execute(_reserve(connection.dialect.name), row)
        _note(connection, frontier, asked, 1)
    return Done()


def release(connection: Connection, asked: Release) -> Done:
    """Once or again. Raises BusRefusedError DAMAGED."""
    frontier = lock_head(connection)
    if _is_open(connection, asked) == 1:
        connection.execute(_CLOSE, {"its_digest": digest(asked.indicium), "its_id": asked.request_id})
        _note(connection, frontier, asked, 0)
    return Done()


def was_seen(connection: Connection, its_digest: bytes) -> bool:
    """Whether the post has seen an indicium, which was not given back before."""
    return connection.scalar(_SEEN, {"its_digest": its_digest}) is not None


def is_reserved(connection: Connection, its_digest: bytes) -> bool:
    """Whether any request is giving it back, or has."""
    return connection.scalar(_OPEN, {"its_digest": its_digest}) is not None


def _is_open(connection: Connection, asked: Reserve | Release) -> int | None:
    mine = {"its_digest": digest(asked.indicium), "its_id": asked.request_id}
    is_open: int | None = connection.scalar(_MINE, mine)
    return is_open


def _note(connection: Connection, frontier: Frontier, asked: Reserve | Release, is_open: int) -> None:
    note = Reserved(digest(asked.indicium), asked.request_id, is_open, asked.time)
    if not append(connection, frontier, [leaf(Kind.NOTE, note.octets())]):
        raise damaged("there are entries after its head")


@cache
def _reserve(dialect: str) -> Executable:
    made = insert_into(dialect, RESERVATIONS).values(is_open=1)
    key = [RESERVATIONS.c.digest, RESERVATIONS.c.id]
    return made.on_conflict_do_update(index_elements=key, set_={"is_open": 1})

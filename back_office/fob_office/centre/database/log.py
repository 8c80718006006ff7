"""The log's place in the database: one row for a leaf and the nodes that it completed (RFC 9162, section 2.1)."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from sqlalchemy import Connection, Integer, bindparam, literal_column, select, update

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import OrdersPage
from fob_office.centre.database.inserting import insert_all
from fob_office.centre.database.leaves import Leaf
from fob_office.centre.database.limits import NOTES_SPAN, PAGE_ROWS
from fob_office.centre.database.reading import page
from fob_office.centre.database.tables import ENTRIES, LOG_HEADS
from fob_office.centre.words import Word
from fob_protocol.metering.log.entry import Kind, entry_octets
from fob_protocol.metering.log.hashes import HASH_SIZE
from fob_protocol.metering.log.tree import Frontier, Nodes

ResultT = TypeVar("ResultT")

_ONLY: Final = LOG_HEADS.c.id == literal_column("1", Integer())
_HEAD: Final = select(LOG_HEADS.c.size, LOG_HEADS.c.hashes).where(_ONLY)
_LOCK: Final = _HEAD.with_for_update()
_MOVE: Final = update(LOG_HEADS).where(_ONLY).values(size=bindparam("new_size"), hashes=bindparam("new_hashes"))
_NODES: Final = select(ENTRIES.c.number, ENTRIES.c.hashes).where(
    ENTRIES.c.number.in_(bindparam("numbers", expanding=True))
)
# COSE_Mac0: all that is noted beside is an array.
_ORDER: Final = b"\xd1"
_NOTES: Final = (
    select(ENTRIES.c.number, ENTRIES.c.content)
    .where(
        ENTRIES.c.number >= bindparam("index"),
        ENTRIES.c.number < bindparam("end"),
        ENTRIES.c.kind == literal_column(str(Kind.NOTE.value), Integer()),
    )
    .order_by(ENTRIES.c.number)
)
_PAGE: Final = (
    select(ENTRIES.c.number, ENTRIES.c.kind, ENTRIES.c.content)
    .where(ENTRIES.c.number >= bindparam("index"))
    .order_by(ENTRIES.c.number)
    .limit(literal_column(str(PAGE_ROWS), Integer()))
)


def damaged(why: str) -> BusRefusedError:
    """Somebody changed the tables; witnesses can tell what is missing."""
    return BusRefusedError(Word.DAMAGED, f"the log in the database is damaged: {why}")


def head(connection: Connection) -> Frontier:
    """All that is needed to go on. Raises BusRefusedError DAMAGED."""
    return _frontier(connection.execute(_HEAD).one_or_none())


def head_at(connection: Connection, size: int) -> Frontier:
    """As it was with so many entries. Raises BusRefusedError NO_SUCH_SIZE, DAMAGED."""
    if size > head(connection).size:
        raise BusRefusedError(Word.NO_SUCH_SIZE, "the log has fewer entries")
    return with_nodes(connection, lambda nodes: Frontier.load(nodes, size))


def lock_head(connection: Connection) -> Frontier:
    """The same; nobody else appends until this transaction ends. Raises BusRefusedError DAMAGED."""
    return _frontier(connection.execute(_LOCK).one_or_none())


def append(connection: Connection, frontier: Frontier, leaves: Sequence[Leaf]) -> bool:
    """To the log whose head was locked; False when there is something already where they belong."""
    rows = []
    for leaf in leaves:
        number = frontier.size
        frontier, made = frontier.append(leaf.hash)
        hashes = b"".join(node.hash for node in made)
        rows.append({"number": number, "kind": leaf.kind, "hashes": hashes, "content": leaf.content})
    if not insert_all(connection, ENTRIES, rows):
        return False
    connection.execute(_MOVE, {"new_size": frontier.size, "new_hashes": b"".join(frontier.hashes)})
    return True


def with_nodes(connection: Connection, make: Callable[[Nodes], ResultT]) -> ResultT:
    """What `make` makes of nodes, which are looked up at once. Raises BusRefusedError DAMAGED, and what it raises."""
    wanted = _Wanted()
    make(wanted)
    if not wanted.numbers:
        return make(wanted)
    rows = connection.execute(_NODES, {"numbers": sorted(wanted.numbers)})
    return make(_Found({row.number: row.hashes for row in rows}))


def entries(connection: Connection, index: int) -> tuple[bytes, ...]:
    """From this one on, as many as one answer holds. Raises BusRefusedError DAMAGED."""
    rows = connection.execute(_PAGE, {"index": index}).all()
    for number, row in enumerate(rows, index):
        if row.number != number:
            raise damaged(f"entry {number} is missing")
    # As it stands there, even of a kind that there is not: whoever has a checkpoint finds it.
    return page((entry_octets(row.kind, row.content) for row in rows), len)


def orders(connection: Connection, index: int) -> OrdersPage:
    """Among NOTES_SPAN entries. Raises BusRefusedError DAMAGED."""
    end = max(index, min(index + NOTES_SPAN, head(connection).size))
    rows = connection.execute(_NOTES, {"index": index, "end": end}).all()
    found = [(row.number, row.content) for row in rows if row.content.startswith(_ORDER)]
    taken = page(found, lambda order: len(order[1]))
    return OrdersPage(taken, taken[-1][0] + 1 if len(taken) < len(found) else end)


def _frontier(row: "Sequence[object] | None") -> Frontier:
    if row is None:
        raise damaged("its head is missing")
    match tuple(row):
        case (int() as size, bytes() as hashes) if len(hashes) % HASH_SIZE == 0:
            parts = tuple(hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE))
            try:
                return Frontier(size, parts)
            except ValueError:
                pass
    raise damaged("its head is of another shape")


def _number(level: int, index: int) -> int:
    """Of the leaf that completed a node."""
    return (index + 1 << level) - 1


class _Wanted:
    """Nodes that take down which entries are wanted."""

    def __init__(self) -> None:
        self.numbers: set[int] = set()

    def get(self, level: int, index: int) -> bytes:
        self.numbers.add(_number(level, index))
        return bytes(HASH_SIZE)


class _Found:
    """Nodes that were looked up."""

    def __init__(self, hashes: dict[int, bytes]) -> None:
        self._hashes = hashes

    def get(self, level: int, index: int) -> bytes:
        number = _number(level, index)
        node = self._hashes.get(number, b"")[level * HASH_SIZE : (level + 1) * HASH_SIZE]
        if len(node) != HASH_SIZE:
            raise damaged(f"entry {number} is missing or cut")
        return node

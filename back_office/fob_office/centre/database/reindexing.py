"""A meter's row made anew of the log: the tables only find again what stands there (M23)."""

from typing import Final

from sqlalchemy import Connection, bindparam, delete, insert, select

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import NewRecord, Reindexed
from fob_office.centre.database.log import lock_head
from fob_office.centre.database.prepared import meter_row
from fob_office.centre.database.tables import ENTRIES, METERS, TRANSACTIONS
from fob_office.centre.words import Word
from fob_protocol.metering.log.entry import Kind

# The entry behind a transaction is that of the record which it made.
_NEWEST: Final = (
    select(ENTRIES.c.kind, ENTRIES.c.content)
    .join(TRANSACTIONS, ENTRIES.c.number == TRANSACTIONS.c.entry + 1)
    .where(TRANSACTIONS.c.serial == bindparam("of"))
    .order_by(TRANSACTIONS.c.counter.desc())
    .limit(1)
)
_ROW: Final = select(METERS).where(METERS.c.serial == bindparam("of"))
_REMOVE: Final = delete(METERS).where(METERS.c.serial == bindparam("of"))


def reindex(connection: Connection, serial: str) -> Reindexed:
    """Whether the row, or a column of it, was another one. Raises BusRefusedError NO_METER, DAMAGED, MALFORMED."""
    # Everybody who writes locks the head before a row that another one may want.
    lock_head(connection)
    newest = connection.execute(_NEWEST, {"of": serial}).one_or_none()
    if newest is None or newest.kind != Kind.METER_RECORD:
        raise BusRefusedError(Word.NO_METER, f"the log has no meter {serial}")
    row = meter_row(NewRecord(serial.encode(), None, newest.content), serial)
    by_log = {"serial": serial} | {name: row[name] for name in ("account", "record", "counter", "funds")}
    there = connection.execute(_ROW, {"of": serial}).mappings().one_or_none()
    if there is not None and dict(there) == by_log:
        return Reindexed(is_changed=False)
    connection.execute(_REMOVE, {"of": serial})
    connection.execute(insert(METERS), by_log)
    return Reindexed(is_changed=True)

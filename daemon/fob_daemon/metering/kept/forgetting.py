"""What a meter's file forgets when a batch begins: what came to nothing, and what the data centre tells as well."""

import sqlite3
from typing import Final

from fob_daemon.metering.jobs import Kind, Standing

# Orders whose transactions are kept, the newest, and the rest of their batches: what is older the data centre still
# tells (`+FOBMETERHISTORY`). A transaction that it tells does not say what of it was given back since, so those refunds
# are kept for ever.
ORDERS_KEPT: Final = 1024

# `money` is what `order_rows` writes: an indicium stands second.
_OLD_ORDERS: Final = """
WITH newest AS (SELECT max(number) - :kept AS before FROM orders)
DELETE FROM orders WHERE standing = :taken AND number <= (SELECT before FROM newest)
AND NOT (kind = :refund AND json_extract(money, '$[1]') <> '')
AND NOT EXISTS (
    SELECT 1 FROM orders AS later WHERE later.job = orders.job AND later.number > (SELECT before FROM newest)
)
"""


def forget(database: sqlite3.Connection) -> None:
    """Whole batches, with their pieces and orders."""
    database.execute(_OLD_ORDERS, {"taken": int(Standing.TAKEN), "kept": ORDERS_KEPT, "refund": int(Kind.REFUND)})
    database.execute("DELETE FROM jobs WHERE NOT EXISTS (SELECT 1 FROM orders WHERE orders.job = jobs.job)")
    database.execute("DELETE FROM pieces WHERE job NOT IN (SELECT job FROM jobs)")
    database.execute("UPDATE jobs SET closed = 1 WHERE NOT EXISTS (SELECT 1 FROM pieces WHERE pieces.job = jobs.job)")

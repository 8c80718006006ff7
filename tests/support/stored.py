"""What stands in the meters' database of a data centre of the tests."""

import sqlite3
from contextlib import closing

from fob_office.centre.database.process import FILE
from support.data_centre import DataCentre


def records_of(centre: DataCentre, serial: str) -> tuple[bytes, bytes]:
    """The meter's record and its mailer's, as boxes made them."""
    with closing(sqlite3.connect(centre.folder / "database-1" / FILE)) as database:
        account, meter = database.execute("SELECT account, record FROM meters WHERE serial = ?", [serial]).fetchone()
        (user,) = database.execute("SELECT record FROM mailers WHERE account = ?", [account]).fetchone()
    return meter, user

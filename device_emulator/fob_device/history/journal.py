"""Where the parts of the phone write down what they did."""

import asyncio
import sqlite3
from typing import Final, Protocol

from fob_protocol.history.entry import Entry


class Journal(Protocol):
    """Takes entries; when, by whom and which time is added here."""

    def write(self, connection: sqlite3.Connection, entry: Entry) -> None:
        """In the caller's transaction: what it changes is stored with its entry or not at all.

        Raises sqlite3.Error, which the transaction makes a CkrError.
        """

    def note(self, entry: Entry) -> "asyncio.Future[None]":
        """In a transaction soon, with whatever else is noted meanwhile; on the loop. Who has to be sure awaits it.

        Awaiting raises CkrError DEVICE_MEMORY for a full disk, DEVICE_ERROR for any other failure of the file.
        """


class NoJournal:
    """Forgets everything; for parts of a phone that stand alone."""

    def write(self, connection: sqlite3.Connection, entry: Entry) -> None:
        """Nothing."""

    def note(self, entry: Entry) -> "asyncio.Future[None]":
        """Done at once."""
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


NO_JOURNAL: Final = NoJournal()

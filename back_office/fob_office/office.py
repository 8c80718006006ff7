"""One office: its settings, its database, its secrets, and the world around it. What every role is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import inspect, select
from sqlalchemy.exc import SQLAlchemyError

from fob_office.database.engine import open_engine
from fob_office.database.migrating import check_migrated
from fob_office.database.session import Database
from fob_office.database.troubles import check_file, why_and_command
from fob_office.errors import OperatorError
from fob_office.secrets.master_key import MasterKey, load_master_key
from fob_office.secrets.sealing import Sealer
from fob_office.secrets.tables import MasterKeyMark
from fob_office.settings import Settings
from fob_office.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Office:
    """May be shared by threads. `close` it."""

    settings: Settings
    database: Database
    sealer: Sealer = field(repr=False)
    surroundings: Surroundings

    def now(self) -> int:
        """Seconds since 1970."""
        return self.surroundings.clock()

    def close(self) -> None:
        """Give the database back."""
        self.database.close()


def open_office(settings: Settings, environment: Mapping[str, str], surroundings: Surroundings) -> Office:
    """An office that was made. Raises OperatorError: no master key or another one's, no database or an older one."""
    master_key = load_master_key(settings.state, environment)
    database = Database(open_engine(settings.database_url))
    try:
        check_reachable(settings, database)
        check_migrated(database)
        check_master_key(database, master_key)
    except OperatorError:
        database.close()
        raise
    return Office(settings, database, Sealer(master_key, surroundings), surroundings)


def check_reachable(settings: Settings, database: Database) -> None:
    """Raises OperatorError."""
    check_file(settings.database_url)
    try:
        with database.read() as session:
            # SQLite looks at its file when it first reads.
            inspect(session.connection()).get_table_names()
    except SQLAlchemyError as error:
        why, command = why_and_command(error)
        raise OperatorError(f"no connection to {settings.database_shown}", why, command) from None


def check_master_key(database: Database, master_key: MasterKey) -> None:
    """Raises OperatorError: what is sealed in this database was sealed under another key."""
    with database.read() as session:
        marks = set(session.scalars(select(MasterKeyMark.fingerprint)))
    if marks != {master_key.fingerprint}:
        why = f"{master_key.source} holds another key"
        raise OperatorError("this database's secrets do not open", why, "restore key and database of one backup")

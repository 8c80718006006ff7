"""The tables, made and changed by alembic's migrations, which are part of the package.

A role's first migration follows 0001 (`down_revision = "0001"`) and its next ones each other: every role has a line
of its own, and `migrate` runs them all.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from fob_office.database.engine import POSTGRESQL
from fob_office.database.session import Database
from fob_office.database.troubles import RESTORE
from fob_office.errors import OperatorError

NOT_USED: Final = "the database cannot be used"
MIGRATIONS: Final = Path(__file__).with_name("migrations")
# Any number that nobody else locks in this database.
_LOCK: Final = 0x0F0B


@dataclass(frozen=True, slots=True)
class Lineage:
    """All migrations of one kind of database; `command` runs them. `empty` and what then helps: where none ever ran."""

    folder: Path
    command: str
    empty: str
    begin: str

    @property
    def script(self) -> ScriptDirectory:
        """As alembic reads it."""
        return ScriptDirectory(str(self.folder))


OFFICE: Final = Lineage(
    MIGRATIONS, "fob-office migrate", "it is empty: no office was made in it, or it was emptied", RESTORE
)


def migrate(database: Database, lineage: Lineage = OFFICE) -> list[str]:
    """Bring the tables up to this version of the office; the revisions that were run, oldest first. All or nothing."""
    with database.write() as session:
        connection = session.connection()
        if connection.dialect.name == POSTGRESQL:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        _check_known(_heads(connection), lineage)
        before = _done(connection, lineage)
        command.upgrade(_configuration(connection, lineage), "heads")
        return _between(before, _done(connection, lineage))


def check_migrated(database: Database, lineage: Lineage = OFFICE) -> None:
    """Raises OperatorError when the tables are of another version of the office."""
    if check_begun(database, lineage) != set(lineage.script.get_heads()):
        raise OperatorError(NOT_USED, "its tables are older than this program", lineage.command)


def check_begun(database: Database, lineage: Lineage = OFFICE) -> set[str]:
    """The revisions of a database that an office was made in. Raises OperatorError: none, or a later version's."""
    with database.read() as session:
        held = _heads(session.connection())
    _check_known(held, lineage)
    if not held:
        raise OperatorError(NOT_USED, lineage.empty, lineage.begin)
    return held


def _check_known(held: set[str], lineage: Lineage) -> None:
    """Raises OperatorError: an office of a later version has used it."""
    if unknown := held - {revision.revision for revision in lineage.script.walk_revisions()}:
        why = f"its tables are newer than this program: {', '.join(sorted(unknown))}"
        raise OperatorError(NOT_USED, why, "fob-office --version")


def _configuration(connection: Connection, lineage: Lineage) -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(lineage.folder).replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def _heads(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _done(connection: Connection, lineage: Lineage) -> list[str]:
    """Every revision that was run, oldest first."""
    heads = _heads(connection)
    if not heads:
        return []
    return [revision.revision for revision in lineage.script.iterate_revisions(tuple(heads), "base")][::-1]


def _between(before: list[str], after: list[str]) -> list[str]:
    return [revision for revision in after if revision not in before]

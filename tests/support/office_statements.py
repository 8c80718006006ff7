"""What the office says to its database, and how the database goes about it: by which columns it looks for rows."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg.errors import Diagnostic
from sqlalchemy import Connection, Engine, event

from fob_office.database.engine import POSTGRESQL

# Transactions, around what is asked.
_FRAME: Final = ("BEGIN", "SAVEPOINT", "RELEASE")
# "SEARCH orders USING INDEX name (device=? AND source=?)", "SCAN orders".
_STEP: Final = re.compile(r"(?:SEARCH|SCAN) ([a-z_]+)(?: USING [^(]*\((.*)\))?")
# Several at once stand in parentheses: "(serial,counter)>(?,?)".
_COLUMN: Final = re.compile(r"\b(\w+)\"?\)? ?(?:=|<|>|<=|>=)")
# It tells every plan that runs, those of foreign keys too.
_EXPLAIN: Final = (
    "LOAD 'auto_explain'",
    "SET auto_explain.log_min_duration = 0",
    "SET auto_explain.log_level = notice",
    "SET auto_explain.log_format = json",
    "SET auto_explain.log_nested_statements = on",
)


@dataclass(frozen=True)
class Access:
    """To rows of a table: those of these columns' values, by an index; without columns all of them."""

    table: str
    columns: frozenset[str]


@dataclass
class Watch:
    """What was said since it was last taken. `plans`: PostgreSQL's `plan_cache_mode`."""

    plans: str
    _said: list[str] = field(default_factory=list)
    _accesses: list[Access] = field(default_factory=list)

    def take(self) -> tuple[list[str], list[Access]]:
        """Statements in their order, and what was accessed for them."""
        taken = self._said, self._accesses
        self._said, self._accesses = [], []
        return taken

    def executes(
        self, connection: Connection, _: object, statement: str, parameters: Any, __: object, is_many: bool
    ) -> None:
        """Called by SQLAlchemy."""
        if statement.startswith(_FRAME):
            return
        self._said.append(statement)
        if connection.dialect.name != POSTGRESQL:
            plan = connection.connection.cursor()
            plan.execute(f"EXPLAIN QUERY PLAN {statement}", parameters[0] if is_many else parameters)
            self._accesses += [access for row in plan.fetchall() for access in _of_step(row[3])]

    def connected(self, connection: Any, _: object) -> None:
        """Called by SQLAlchemy."""
        for statement in (*_EXPLAIN, f"SET plan_cache_mode = {self.plans}"):
            connection.execute(statement)
        connection.commit()
        connection.add_notice_handler(self._noticed)

    def _noticed(self, notice: Diagnostic) -> None:
        text = notice.message_primary or ""
        if (begin := text.find("plan:\n")) >= 0:
            self._accesses += _of_node(json.loads(text[begin + len("plan:\n") :])["Plan"], "")


@contextmanager
def watched(engine: Engine, plans: str) -> Iterator[Watch]:
    """While a test asks; the engine connects anew."""
    watch = Watch(plans)
    hooks: list[tuple[str, Callable[..., None]]] = [("before_cursor_execute", watch.executes)]
    if engine.dialect.name == POSTGRESQL:
        hooks.append(("connect", watch.connected))
    engine.dispose()
    for name, hook in hooks:
        event.listen(engine, name, hook)
    try:
        yield watch
    finally:
        for name, hook in hooks:
            event.remove(engine, name, hook)
        engine.dispose()


def _of_step(step: str) -> Iterator[Access]:
    """SQLite's, in words."""
    if (found := _STEP.match(step)) is not None:
        yield Access(found[1], _columns(found[2] or ""))


def _of_node(node: dict[str, Any], table: str) -> Iterator[Access]:
    """PostgreSQL's, which stand within each other; what finds rows for a bitmap does not say of which table."""
    table = node.get("Relation Name", table)
    if node["Node Type"].endswith(("Seq Scan", "Index Scan", "Index Only Scan")):
        yield Access(table, _columns(node.get("Index Cond", "")))
    for inner in node.get("Plans", ()):
        yield from _of_node(inner, table)


def _columns(condition: str) -> frozenset[str]:
    return frozenset(_COLUMN.findall(condition))

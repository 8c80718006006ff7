"""Many meters in a database, as it would stand after each was made and franked: rows of the sizes that boxes make."""

from typing import Final

from sqlalchemy import Connection, text

from fob_office.database.engine import SQLITE, open_engine

# The statements of a meter: its mailer, its record, the journal of its last request, two entries and a transaction.
_SQLITE: Final = (
    "INSERT INTO mailers SELECT CAST(printf('%016d', i) AS BLOB), 'filler-' || i, randomblob(380), 1 FROM n",
    "INSERT INTO meters SELECT printf('FM99%08d', i), CAST(printf('%016d', i) AS BLOB), randomblob(330), 2, 1 FROM n",
    "INSERT INTO journal SELECT randomblob(16), randomblob(32), randomblob(620), :now FROM n",
    "INSERT INTO transactions SELECT printf('FM99%08d', i), 2, 2 * i FROM n",
    "INSERT INTO entries SELECT 2 * i, 1, zeroblob(32), randomblob(440) FROM n",
    "INSERT INTO entries SELECT 2 * i + 1, 2, zeroblob(96), randomblob(330) FROM n",
)
_NUMBERS: Final = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) "
_POSTGRESQL: Final = (
    "INSERT INTO mailers SELECT decode(md5('a' || i), 'hex'), 'filler-' || i, {380}, 1 FROM {n}",
    "INSERT INTO meters SELECT 'FM99' || lpad(i::text, 8, '0'), decode(md5('a' || i), 'hex'), {330}, 2, 1 FROM {n}",
    "INSERT INTO journal SELECT decode(md5(i::text), 'hex'), {32}, {620}, :now FROM {n}",
    "INSERT INTO transactions SELECT 'FM99' || lpad(i::text, 8, '0'), 2, 2 * i FROM {n}",
    "INSERT INTO entries SELECT 2 * i, 1, {32}, {440} FROM {n}",
    "INSERT INTO entries SELECT 2 * i + 1, 2, {96}, {330} FROM {n}",
)
_SERIES: Final = "generate_series(0, :count - 1) AS i"
_HASH: Final = 32


def serial_of(number: int) -> str:
    """Of a meter that was filled in."""
    return f"FM99{number:08}"


def fill(url: str, count: int, now: int) -> None:
    """So many meters in an empty database whose tables are there. `now`: the time in their journal."""
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            for statement in _statements(connection.dialect.name):
                values = {"count": count, "now": now}
                connection.execute(text(statement), {key: values[key] for key in values if f":{key}" in statement})
            _set_head(connection, 2 * count)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))
    finally:
        engine.dispose()


def _statements(dialect: str) -> list[str]:
    if dialect == SQLITE:
        return [_with_numbers(statement) for statement in _SQLITE]
    return [_with_series(statement) for statement in _POSTGRESQL]


def _with_numbers(statement: str) -> str:
    """SQLite wants the numbers before SELECT."""
    return statement.replace("SELECT", f"{_NUMBERS}SELECT", 1)


def _with_series(statement: str) -> str:
    statement = statement.replace("{n}", _SERIES)
    for size in (32, 96, 330, 380, 440, 620):
        statement = statement.replace(f"{{{size}}}", f"convert_to(rpad(md5('r' || i), {size}, md5('s' || i)), 'UTF8')")
    return statement


def _set_head(connection: Connection, size: int) -> None:
    """Every hash is zero: the nodes that a proof asks for are the frontier's, each at the leaf that completed it."""
    begin, frontier = 0, 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            begin += 1 << level
            hashes = {"hashes": bytes(_HASH * (level + 1)), "number": begin - 1}
            connection.execute(text("UPDATE entries SET hashes = :hashes WHERE number = :number"), hashes)
            frontier += 1
    head = {"size": size, "hashes": bytes(_HASH * frontier)}
    connection.execute(text("UPDATE log_heads SET size = :size, hashes = :hashes"), head)

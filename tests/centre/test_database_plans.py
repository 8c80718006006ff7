"""What a question costs does not grow with what is stored: so many statements, each by an index, one commit."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, StaticPool, create_engine
from sqlalchemy.orm import Session

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import (
    FetchLog,
    FetchLogHead,
    FetchLogState,
    FetchLost,
    FetchMeters,
    FetchOrders,
    FetchPayouts,
    FetchRows,
    FetchRowsOf,
    FetchTransactions,
    FetchWarnings,
    FindMailer,
    PaidOut,
    Payout,
    Reindex,
    Release,
    Reserve,
    Scan,
    Stored,
    Warn,
)
from fob_office.centre.database.grouping import Group, Outcome
from fob_office.centre.database.limits import GROUP_LIMIT, WAITING_LIMIT
from fob_office.centre.database.noting import erase
from fob_office.centre.database.prepared import prepare
from fob_office.centre.database.storing import store_all
from fob_office.database.engine import POSTGRESQL
from support.centre import NOW
from support.centre_database import (
    MeterBase,
    account_of,
    frank,
    hash_of,
    indicium,
    meter_base,
    peer,
    receipt_of,
    request_id,
    shared_url,
    sign_up,
    signer,
    sqlite_url,
)
from support.office_statements import Watch, watched

PLANS = ("force_custom_plan", "force_generic_plan")
# Of one row, of which the newest alone is looked at, and no table at all.
SMALL = {"log_heads", "checkpoints", "one"}
OPERATOR = peer(Kind.OPERATOR)

# Rows of others, so many that nobody reads all of them.
CROWD = (
    "INSERT INTO meters SELECT 'X-' || n, CAST('account' || n AS {blob}), 'r', 1, 1 FROM numbers",
    "INSERT INTO mailers SELECT CAST('account' || n AS {blob}), 'name' || n, 'r', 1 FROM numbers",
    "INSERT INTO journal SELECT CAST('id' || n AS {blob}), 'h', 'a', 2000000000 + n FROM numbers",
    "INSERT INTO transactions SELECT 'X-' || (n / 50), n, n FROM numbers",
    "INSERT INTO indicia SELECT CAST('digest' || n AS {blob}), 'X', n, 0, 0, 1 FROM numbers",
    "INSERT INTO reservations SELECT CAST('digest' || n AS {blob}), CAST('id' || n AS {blob}), 1 FROM numbers",
    "INSERT INTO warnings SELECT n + 1000000, 'word', 'X', 'why', 2000000000 + n FROM numbers",
    "INSERT INTO payouts SELECT n, 'a', 'X', n, 1, 'h', 'h', 'receipt' FROM numbers",
    "INSERT INTO entries SELECT n + 1000000, 1, 'h', 'c' FROM numbers",
    "INSERT INTO checkpoints SELECT n, 'c' FROM numbers WHERE n < 5",
)
NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3000) "


@dataclass
class Watched:
    """A full database, and what it is asked."""

    base: MeterBase
    watch: Watch

    def count(self) -> int:
        """Statements since; none of them read a table that grows."""
        said, accesses = self.watch.take()
        assert [access for access in accesses if access.table not in SMALL and not access.columns] == [], said
        return len(said)


def fill(base: MeterBase) -> None:
    is_postgresql = base.keeper.database.engine.dialect.name == POSTGRESQL
    for statement in CROWD:
        # With the recursion where both databases take it.
        into, _, source = statement.partition("SELECT")
        if is_postgresql:
            source = source.replace("CAST(", "CAST(CAST(").replace(" AS {blob})", " AS text) AS bytea)")
        else:
            source = source.replace("{blob}", "BLOB")
            source = source.replace("'r'", "x'00'").replace("'h'", "x'00'").replace("'a'", "x'00'")
            source = source.replace("'receipt'", "x'00'").replace("'c'", "x'00'")
        base.run(f"{into}{NUMBERS}SELECT{source}")
    base.run("ANALYZE")


@pytest.fixture(params=["sqlite", *PLANS])
async def full(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Watched]:
    url = shared_url(request.getfixturevalue("cluster")) if request.param in PLANS else sqlite_url(tmp_path)
    with meter_base(url) as base:
        for first in range(0, 100, 50):
            await asyncio.gather(*(base.store(sign_up(f"FM-{n}", f"mailer {n}")) for n in range(first, first + 50)))
        fill(base)
        with watched(base.keeper.database.engine, request.param) as watch:
            watch.take()
            yield Watched(base, watch)


async def test_a_fetch_is_one_statement(full: Watched) -> None:
    await full.base.fetch("FM-1", request_id("FM-1", 1))
    assert full.count() == 1


@pytest.mark.parametrize("size", [1, 50])
async def test_a_group_of_stores_costs_the_same_statements_as_one(full: Watched, size: int) -> None:
    batch = [prepare(frank(f"FM-{number}", 2), NOW, signer) for number in range(size)]
    stored = await full.base.keeper.write(lambda connection: store_all(connection, batch))
    assert stored == [Stored(is_new=True)] * size
    # The log's head, journal, meters, transactions, entries, the head again.
    assert full.count() == 6


@pytest.mark.parametrize("size", [1, 50])
async def test_new_mailers_cost_one_statement_more(full: Watched, size: int) -> None:
    batch = [prepare(sign_up(f"NEW-{number}", f"new {number}"), NOW, signer) for number in range(size)]
    await full.base.keeper.write(lambda connection: store_all(connection, batch))
    assert full.count() == 7


async def test_every_other_question_goes_by_an_index(full: Watched) -> None:
    server, counts = full.base.server, {}
    payout = Payout(account_of("X"), "X", 7, 500, hash_of(b"refund"), b"signed")
    due = {"account": payout.account, "request": payout.request_digest}
    full.base.run("UPDATE payouts SET account = :account, request = :request, amount = 500 WHERE number = 7", **due)
    full.base.run("UPDATE payouts SET receipt = NULL WHERE number = 7")
    await full.base.store(frank("FM-2", 2))
    full.watch.take()
    asked = [
        (server.find_mailer, FindMailer(bytes(16), "mailer 1")),
        (server.fetch_transactions, FetchTransactions("FM-1", 0, 5)),
        (server.fetch_log_state, FetchLogState(3)),
        (server.fetch_log, FetchLog(10)),
        (server.fetch_log_head, FetchLogHead(77)),
        (server.fetch_orders, FetchOrders(10)),
        (server.warn, Warn("tampering", "FM-1", "", NOW)),
        (server.fetch_warnings, FetchWarnings(2900)),
        (server.paid_out, PaidOut("X", 7, receipt_of(payout))),
        (server.scan, Scan("FM-1", 2, 0, indicium("FM-1", 2), NOW)),
        (server.reserve, Reserve(bytes(16), indicium("FM-2", 2), NOW)),
        (server.release, Release(bytes(16), indicium("FM-2", 2), NOW)),
        (server.fetch_lost, FetchLost("FM-2", 1)),
        (server.fetch_meters, FetchMeters("FM-", 5)),
        (server.reindex, Reindex("FM-1")),
        (server.fetch_rows, FetchRows("transactions", ("FM-1", 1))),
        (server.fetch_rows_of, FetchRowsOf("transactions", (("FM-1", 1), ("FM-2", 1), ("FM-3", 7)))),
    ]
    for handler, command in asked:
        await handler(OPERATOR, command)  # type: ignore[operator]  # each with its own command
        counts[type(command).__name__] = full.count()
    await full.base.keeper.write(partial(erase, now=2_000_000_000 + 400 * 24 * 3600 + 100))
    counts["erase"] = full.count()
    assert counts == {
        "FindMailer": 1, "FetchTransactions": 1, "FetchLogState": 2, "FetchLog": 1, "FetchLogHead": 2, "FetchOrders": 2,
        "Warn": 4, "FetchWarnings": 1, "PaidOut": 5, "Scan": 7, "Reserve": 7, "Release": 5, "FetchLost": 2,
        "FetchMeters": 1, "Reindex": 3, "FetchRows": 1, "FetchRowsOf": 1, "erase": 5,
    }  # fmt: skip


async def test_what_is_to_be_paid_back_is_found_among_all_that_was(full: Watched) -> None:
    await full.base.server.fetch_payouts(OPERATOR, FetchPayouts(2900))
    (statement,), _ = full.watch.take()
    with closing(full.base.keeper.database.engine.raw_connection()) as connection:
        is_postgresql = full.base.keeper.database.engine.dialect.name == POSTGRESQL
        cursor = connection.cursor()
        asked = re.sub(r"\?|%\(\w+\)s", "0", statement)
        cursor.execute(f"EXPLAIN {'' if is_postgresql else 'QUERY PLAN '}{asked}")
        plan = cursor.fetchall()
    assert "ix_payouts_open" in str(plan)


class Gate:
    """Stands where a database does: the first group waits until it is opened."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.opened = threading.Event()
        self.sizes: list[int] = []

    @contextmanager
    def begin(self) -> Iterator[Session]:
        with Session(create_engine("sqlite://", poolclass=StaticPool)) as session:
            yield session

    def perform(self, _: Connection, jobs: Sequence[int]) -> Sequence[Outcome]:
        if len(jobs) > 1 and -1 in jobs:
            raise ValueError("one of them")
        self.sizes.append(len(jobs))
        self.begun.set()
        self.opened.wait(10)
        if jobs == [-1]:
            raise ValueError("that one")
        return [job * 2 for job in jobs]


async def test_what_waits_for_a_commit_shares_the_next_one() -> None:
    gate = Gate()
    group = Group[int](gate.begin, gate.perform)
    first = asyncio.create_task(group.do(0))
    await asyncio.to_thread(gate.begun.wait, 10)
    others = [asyncio.create_task(group.do(number)) for number in range(1, GROUP_LIMIT + 11)]
    await asyncio.sleep(0)
    gate.opened.set()
    assert await asyncio.gather(first, *others) == [number * 2 for number in range(GROUP_LIMIT + 11)]
    assert gate.sizes == [1, GROUP_LIMIT, 10]
    group.close()


async def test_one_that_breaks_a_group_fails_alone() -> None:
    gate = Gate()
    group = Group[int](gate.begin, gate.perform)
    first = asyncio.create_task(group.do(0))
    await asyncio.to_thread(gate.begun.wait, 10)
    others = [asyncio.create_task(group.do(number)) for number in (1, -1, 3)]
    await asyncio.sleep(0)
    gate.opened.set()
    one, bad, three = await asyncio.gather(*others, return_exceptions=True)
    assert (await first, one, str(bad), three) == (0, 2, "that one", 6)
    group.close()


async def test_no_more_waits_than_the_limit() -> None:
    gate = Gate()
    group = Group[int](gate.begin, gate.perform)
    waiting = [asyncio.create_task(group.do(0))]
    await asyncio.to_thread(gate.begun.wait, 10)
    waiting += [asyncio.create_task(group.do(0)) for _ in range(WAITING_LIMIT)]
    await asyncio.sleep(0)
    with pytest.raises(BusRefusedError, match="unavailable"):
        await group.do(0)
    gate.opened.set()
    await asyncio.gather(*waiting)
    group.close()
    with pytest.raises(BusRefusedError, match="unavailable"):
        await group.do(0)

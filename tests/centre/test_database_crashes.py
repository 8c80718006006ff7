"""A database server that dies, staff that edit what they like, and databases of other versions."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import replace

from fob_office.centre.boxes.identity import signing_key
from fob_office.centre.boxes.kinds import FACTORIES
from fob_office.centre.bus.asking import Link
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands import database
from fob_office.centre.commands.database import (
    Fetch,
    FetchLog,
    FetchMeters,
    FetchTransactions,
    FetchWarnings,
    FindMailer,
    Scan,
    Store,
    Stored,
    Warn,
)
from fob_office.centre.commands.payment import Charge, Receipted
from fob_office.centre.database.keeping import migrate_meters, open_keeper, upgrade_meters
from fob_office.centre.database.process import meters_url as meters_url_of
from fob_office.centre.database.tables import metadata
from fob_office.centre.journal import place_of, sign_up_place
from fob_office.errors import OperatorError
from fob_protocol.metering.log.tree import Frontier
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.metering.vouchers import ChargeOrder, read_receipt
from support import centre_database_program as program
from support.centre import NOW, Centre
from support.centre_boxes import Boxes
from support.centre_database import (
    MeterBase,
    frank,
    hash_of,
    indicium,
    meter_base,
    meter_record,
    peer,
    request_id,
    sign_up,
    sqlite_url,
)
from support.log_entries import read_entry

METERS = 24
COMMANDS = {
    command for command in vars(database).values() if isinstance(command, type) and issubclass(command, Command)
} - {Command}
OPERATOR = peer(Kind.OPERATOR)


@asynccontextmanager
async def database_server(folder: Path, url: str) -> AsyncIterator[tuple[subprocess.Popen[str], Link]]:
    """In its process, and a function server's link to it."""
    centre = Centre(folder)
    me = centre.process(Kind.DATABASE, program.NAME)
    centre.enter(me, f"unix:{folder}/{program.NAME}")
    command = [sys.executable, "-m", program.__name__, str(folder), url]
    tests = str(Path(program.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": tests}
    process = subprocess.Popen(  # noqa: ASYNC220 - it only starts
        command, stdout=subprocess.PIPE, text=True, env=environment
    )
    link = Link(centre.process(Kind.FUNCTION, "function-1").me, centre.directory(), program.NAME)
    try:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "ready\n"
        yield process, link
    finally:
        link.close()
        process.kill()
        process.communicate()


@dataclass
class Mailers:
    """Each franks one piece after another until nobody answers."""

    link: Link
    answered: dict[str, int] = field(default_factory=dict)
    asked: dict[str, Store] = field(default_factory=dict)

    async def frank_all(self, process: subprocess.Popen[str], most: int) -> None:
        """The server is killed after so many answers."""
        self._left = most
        await asyncio.gather(*(self._frank(process, f"FM-{number}") for number in range(METERS)))

    async def _frank(self, process: subprocess.Popen[str], serial: str) -> None:
        counter = 1
        while True:
            self.asked[serial] = sign_up(serial, serial) if counter == 1 else frank(serial, counter)
            try:
                assert (await self.link.ask(self.asked[serial])).is_new
            except AwayError:
                return
            self.answered[serial] = counter
            counter += 1
            self._left -= 1
            if self._left == 0:
                process.send_signal(signal.SIGKILL)


async def check_whole(base: MeterBase) -> None:
    """Log, journal, transactions and meters tell of the same Stores, and of no part of one."""
    stores = base.count("journal")
    assert base.count("transactions") == stores
    assert base.run("SELECT sum(counter) FROM meters") == [(stores,)]
    frontier = Frontier()
    while page := (await base.server.fetch_log(OPERATOR, FetchLog(frontier.size))).entries:
        for octets in page:
            frontier, _ = frontier.append(read_entry(octets).hash())
    assert frontier.size == 2 * stores + METERS
    assert base.run("SELECT size, hashes FROM log_heads") == [(frontier.size, b"".join(frontier.hashes))]


@pytest.mark.clause("M33", "M5")
async def test_a_server_that_is_killed_in_the_middle_has_stored_all_that_it_answered(
    tmp_path: Path, meters_url: str
) -> None:
    mailers: Mailers
    async with database_server(tmp_path, meters_url) as (process, link):
        mailers = Mailers(link)
        await mailers.frank_all(process, 300)
    with meter_base(meters_url) as base:
        for serial, counter in mailers.answered.items():
            fetched = await base.fetch(serial, request_id(serial, counter))
            assert fetched.done is not None
            assert fetched.meter in (meter_record(serial, counter), meter_record(serial, counter + 1))
        # What nobody heard of is asked again: it was done or is now, once.
        await asyncio.gather(*map(base.store, mailers.asked.values()))
        await check_whole(base)
        assert base.count("journal") == sum(mailers.answered.get(serial, 0) + 1 for serial in mailers.asked)


@pytest.mark.clause("M2")
async def test_another_kind_of_process_is_not_answered(tmp_path: Path) -> None:
    async with database_server(tmp_path, sqlite_url(tmp_path)) as (_, link):
        assert (await link.ask(Fetch(bytes(16), "FM-1"))).meter is None
        with pytest.raises(BusRefusedError, match="not-yours"):
            await link.ask(FetchMeters("", 1))


# What staff may write into what is no part of the log, of one meter.
EDITS = (
    "UPDATE meters SET serial = 'X' WHERE serial = :serial",
    "UPDATE meters SET account = :octets WHERE serial = :serial",
    "UPDATE meters SET record = :octets WHERE serial = :serial",
    "UPDATE meters SET counter = -1 WHERE serial = :serial",
    "UPDATE meters SET counter = 9007199254740993 WHERE serial = :serial",
    "UPDATE meters SET funds = -5 WHERE serial = :serial",
    "DELETE FROM meters WHERE serial = :serial",
    "UPDATE mailers SET account = :octets WHERE name = :name",
    "UPDATE mailers SET name = '' WHERE name = :name",
    "UPDATE mailers SET record = :octets WHERE name = :name",
    "UPDATE mailers SET counter = 99 WHERE name = :name",
    "DELETE FROM mailers WHERE name = :name",
    "UPDATE journal SET id = :octets WHERE id = :id",
    "UPDATE journal SET request = :octets WHERE id = :id",
    "UPDATE journal SET answer = :octets WHERE id = :id",
    "UPDATE journal SET time = -1 WHERE id = :id",
    "DELETE FROM journal WHERE id = :id",
    "UPDATE transactions SET serial = 'X' WHERE serial = :serial AND counter = 2",
    "UPDATE transactions SET counter = -7 WHERE serial = :serial AND counter = 2",
    "UPDATE transactions SET entry = -1 WHERE serial = :serial",
    "UPDATE transactions SET entry = 1 WHERE serial = :serial",
    "UPDATE transactions SET entry = 1000000 WHERE serial = :serial",
    "DELETE FROM transactions WHERE serial = :serial",
    "UPDATE indicia SET digest = :octets WHERE serial = :serial",
    "UPDATE indicia SET serial = '', counter = -1, piece = -1 WHERE serial = :serial",
    "UPDATE indicia SET given_back = 7, seen = -3 WHERE serial = :serial",
    "DELETE FROM indicia WHERE serial = :serial",
)


async def test_whatever_staff_write_the_server_says_what_stands_there_and_goes_on(meters_url: str) -> None:
    with meter_base(meters_url) as base:
        for number, edit in enumerate(EDITS):
            serial = f"FM-{number}"
            await base.store(sign_up(serial, serial))
            await base.store(frank(serial, 2))
            scan = Scan(serial, 2, 0, indicium(serial, 2), NOW)
            await base.server.scan(OPERATOR, scan)
            values = {"serial": serial, "name": serial.lower(), "id": request_id(serial, 2), "octets": b"\0"}
            base.run(edit, **{name: value for name, value in values.items() if f":{name}" in edit})
            await everything_is_answered(base, serial, scan)


async def everything_is_answered(base: MeterBase, serial: str, scan: Scan) -> None:
    """By what stands there, and a Store perhaps by `conflict`; the next mailer is served."""
    server = base.server
    await base.fetch(serial, request_id(serial, 2))
    await server.find_mailer(OPERATOR, FindMailer(bytes(16), serial))
    await server.fetch_transactions(OPERATOR, FetchTransactions(serial, 0, 5))
    await server.fetch_meters(OPERATOR, FetchMeters("", 5))
    await server.scan(OPERATOR, scan)
    (outcome,) = await asyncio.gather(base.store(frank(serial, 3)), return_exceptions=True)
    assert getattr(outcome, "is_new", False) or getattr(outcome, "word", "") == "conflict"
    assert (await base.store(sign_up(f"{serial}-NEXT", f"{serial} next"))).is_new


async def test_what_the_tables_say_falsely_is_never_a_record_that_was_not_stored(meters_url: str) -> None:
    """Columns that find records are nobody's word: the records are given as they were signed, or not found."""
    with meter_base(meters_url) as base:
        for serial in ("FM-1", "FM-2"):
            await base.store(sign_up(serial, serial))
        base.run("UPDATE meters SET counter = 7, funds = 9 WHERE serial = 'FM-1'")
        assert (await base.fetch("FM-1")).meter == meter_record("FM-1", 1)
        base.run("UPDATE meters SET record = (SELECT record FROM meters WHERE serial = 'FM-2') WHERE serial = 'FM-1'")
        assert (await base.fetch("FM-1")).meter == meter_record("FM-2", 1)


def test_a_database_of_another_version_is_not_used(tmp_path: Path, empty_meters_url: str) -> None:
    migrate_meters(empty_meters_url)
    with meter_base(empty_meters_url) as base:
        base.run("UPDATE alembic_version SET version_num = 'meters_9999'")
    for use in (open_keeper, migrate_meters):
        with pytest.raises(OperatorError, match="newer than this program: meters_9999") as caught:
            use(empty_meters_url)
        assert len(caught.value.lines.splitlines()) == 3


def test_tables_are_made_once(empty_meters_url: str) -> None:
    assert migrate_meters(empty_meters_url) == ["meters_0001", "meters_0002", "meters_0003"]
    assert migrate_meters(empty_meters_url) == []
    with meter_base(empty_meters_url) as base, base.keeper.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


@pytest.mark.clause("M33")
async def test_requests_of_older_journals_get_their_places(empty_meters_url: str) -> None:
    """By the log, many at a time; what no transaction tells of, or cannot be read, stays."""
    migrate_meters(empty_meters_url)
    with meter_base(empty_meters_url) as base:
        serials = [f"FM-{number}" for number in range(12)]
        await asyncio.gather(*(base.store(sign_up(serial, serial)) for serial in serials))
        for counter in range(2, 60):
            await asyncio.gather(*(base.store(frank(serial, counter)) for serial in serials))
        await base.server.scan(OPERATOR, Scan("FM-1", 2, 0, indicium("FM-1", 2), NOW, id=b"a scan" + bytes(10)))
        first_frank = 3 * len(serials)
        base.run("UPDATE entries SET content = :octets WHERE number = :number", octets=b"staff", number=first_frank)
        base.run("UPDATE alembic_version SET version_num = 'meters_0002'")
    assert upgrade_meters(empty_meters_url) == ["meters_0003"]
    with meter_base(empty_meters_url) as base:
        found = {row[0] for row in base.run("SELECT id FROM journal")}
        places = {sign_up_place(request_id(serial, 1)) for serial in serials}
        for serial in serials:
            ids = [request_id(serial, counter) for counter in range(2, 60)]
            places |= {place_of(serial, its_id, hash_of(its_id)) for its_id in ids}
        assert len(found) == len(places) + 1
        assert (len(places - found), len(found - places)) == (1, 2)
        assert found - places <= {b"a scan" + bytes(10), *(request_id(serial, 2) for serial in serials)}


def test_a_database_that_is_empty_missing_or_none_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    (tmp_path / "text.db").write_text("no database, whatever it is called\n" * 100)
    for name, why in (
        ("empty.db", "it is empty"),
        ("missing.db", "is not there"),
        ("text.db", "no database"),
    ):
        with pytest.raises(OperatorError) as caught:
            open_keeper(f"sqlite:///{tmp_path / name}")
        assert why in caught.value.why
        assert len(caught.value.lines.splitlines()) == 3
    with pytest.raises(OperatorError) as caught:
        open_keeper(f"postgresql://nobody:secret@/fob?host={tmp_path}")
    assert "secret" not in caught.value.lines
    assert len(caught.value.lines.splitlines()) == 3


def test_meters_that_are_gone_are_not_made_anew(tmp_path: Path, empty_meters_url: str) -> None:
    """Their mailers would be told that they have no account."""
    missing = f"sqlite:///{tmp_path / 'missing.db'}"
    for url in (empty_meters_url, missing):
        for use in (open_keeper, upgrade_meters):
            with pytest.raises(OperatorError) as caught:
                use(url)
            assert caught.value.command == "put a backup back: fob-office centre restore BACKUP_FOLDER"
    assert not (tmp_path / "missing.db").exists()
    migrate_meters(empty_meters_url)
    assert upgrade_meters(empty_meters_url) == []


async def test_a_table_that_is_gone_is_missed_by_who_needs_it_alone(empty_meters_url: str) -> None:
    migrate_meters(empty_meters_url)
    with meter_base(empty_meters_url) as base:
        await base.store(sign_up("FM-1", "Anna"))
        base.run("DROP TABLE warnings")
        warn, fetch = Warn("tampering", "FM-1", "", NOW), FetchWarnings(0)
        outcomes = await asyncio.gather(
            base.server.warn(OPERATOR, warn),
            base.server.fetch_warnings(OPERATOR, fetch),
            base.store(frank("FM-1", 2)),
            base.fetch("FM-1"),
            return_exceptions=True,
        )
        assert [getattr(outcome, "word", None) for outcome in outcomes] == ["damaged", "damaged", None, None]


async def test_a_database_that_is_away_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    with meter_base(url) as base:
        await base.store(sign_up("FM-1", "Anna"))
        (tmp_path / "meters.db").rename(tmp_path / "elsewhere")
        base.keeper.database.engine.dispose()
        with pytest.raises(BusRefusedError, match="unavailable"):
            await base.store(frank("FM-1", 2))
        (tmp_path / "elsewhere").rename(tmp_path / "meters.db")
        assert (await base.store(frank("FM-1", 2))).is_new


async def test_both_kinds_of_process_are_made_in_their_folders(tmp_path: Path) -> None:
    boxes = Boxes(tmp_path)
    boxes.make(Kind.DATABASE, "database-1")
    boxes.make(Kind.PAYMENT, "payment-1")
    boxes.make(Kind.TRANSACTION, "transaction-1")
    with pytest.raises(OperatorError, match="missing"):
        async with FACTORIES[Kind.DATABASE](boxes.open("database-1")):
            pass
    migrate_meters(meters_url_of(boxes.open("database-1")))
    async with FACTORIES[Kind.DATABASE](boxes.open("database-1")) as table:
        store = sign_up("FM-1", "Anna")
        signed = unverified_transaction(store.transaction or b"").signed(
            signing_key(boxes.open("transaction-1").identity)
        )
        assert (await table[Store].handler(peer(), replace(store, transaction=signed))) == Stored(is_new=True)
        assert set(table) == COMMANDS
    async with FACTORIES[Kind.PAYMENT](boxes.open("payment-1")) as table:
        receipted = await table[Charge].handler(peer(), _ordered(boxes))
        assert isinstance(receipted, Receipted)
        signing = boxes.open("payment-1").links.directory.pass_of("payment-1").signing
        assert signing is not None
        assert read_receipt(signing, receipted.receipt).amount == 500


def _ordered(boxes: Boxes) -> Charge:
    now = boxes.surroundings.clock()
    order = ChargeOrder(bytes(16), "FM01000000014", 1, 500, bytes(32), bytes(16), False, now)
    return Charge(order.signed(signing_key(boxes.open("transaction-1").identity)))

"""Every field of every table changed by staff: the audit holds the tables against the log, and finds it (M23)."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table

from fob_office.centre.auditing.audit import Trusted
from fob_office.centre.auditing.comparing import TABLES
from fob_office.centre.auditing.findings import Findings
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.database import (
    FetchLogHead,
    FetchRows,
    FetchRowsOf,
    NoteOrder,
    PaidOut,
    Rows,
    Scan,
    Warn,
)
from fob_office.centre.database import noting
from fob_office.centre.database.limits import JOURNAL_TIME, KEYS_LIMIT
from fob_office.centre.database.noting import erase
from fob_office.centre.database.tables import (
    CHECKPOINTS,
    ENTRIES,
    INDICIA,
    JOURNAL,
    LOG_HEADS,
    MAILERS,
    METERS,
    PAYOUTS,
    VERSIONS,
    WARNINGS,
)
from fob_office.centre.operating.operator import told as told_to_operators
from fob_office.errors import OperatorError
from fob_protocol.cose.cbor import encode
from fob_protocol.metering.answers import SignedUp
from fob_protocol.metering.log.entry import Kind
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.metering.vouchers import Receipt
from fob_protocol.office.hashing import digest
from support.audits import ALL_TABLES, OPERATOR, Copy, Row, audited, copied, other, rows_of, trusted_of
from support.centre_database import peer, shared_url, sqlite_url
from support.data_centre import SHORT_PAUSES, DataCentre, data_centre
from support.mailers import Mailer
from support.meter_log import Witness

pytestmark = pytest.mark.slow

# The tables' rows, and what an operator goes by.
Life = tuple[dict[str, list[Row]], Trusted]
# Without these nothing can be held against the log; what else is wrong is not looked for.
OF_THE_LOG = (ENTRIES, LOG_HEADS)


async def lived(centre: DataCentre) -> None:
    """Two mailers, until there is a row in every table; one refund is paid, one is not."""
    async with centre.function_server() as (server, _):
        anna, ben = Mailer(centre, server), Mailer(centre, server, "ben")
        for mailer in (anna, ben):
            await mailer.sign_up()
            await mailer.load(900)
        franked = await anna.frank(85, 100)
        await anna.refund(unused=franked.indicia[0])
        anna.keep(await anna.say(anna.sign_on_request(), SignedUp))
        await anna.refund(100)
        await server.refunding._pay_all()
        await ben.refund(50)
        for indicated, times in ((franked.indicia[0], 1), (franked.indicia[1], 2)):
            for number in range(times):
                piece, its_id = franked.indicia.index(indicated), bytes((times, number)) * 8
                await centre.ask("database-1", Scan(anna.serial, 3, piece, indicated.indicium, centre.now, id=its_id))
        await centre.ask("database-1", Warn("tampering", anna.serial, "an old record", centre.now))
        await centre.checkpoint()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """One centre for all tests: they look at copies of its tables."""

    async def live() -> Life:
        async with data_centre(tmp_path_factory.mktemp("lived") / "centre") as centre:
            await lived(centre)
            return rows_of(centre), await trusted_of(centre)

    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in SHORT_PAUSES.items():
            patch.setattr(name, seconds)
        return asyncio.run(live())


@pytest.fixture
def copy(life: Life, tmp_path: Path) -> Iterator[Copy]:
    """Of a centre that has lived, where staff can write."""
    with copied(*life, sqlite_url(tmp_path)) as copy:
        yield copy


@pytest.fixture(params=("sqlite", "postgresql"))
def either(request: pytest.FixtureRequest, life: Life, tmp_path: Path) -> Iterator[Copy]:
    """The same, once in each of the two databases."""
    is_sqlite = request.param == "sqlite"
    url = sqlite_url(tmp_path) if is_sqlite else shared_url(request.getfixturevalue("cluster"))
    with copied(*life, url) as copy:
        yield copy


async def pay_out(copy: Copy, row: Row, receipt: bytes) -> None:
    """By a database server of somebody's own, which believes that the provider said so."""
    said = Receipt(row["request"], row["serial"], row["number"], -row["amount"], False, bytes(16), 0, row["account"])
    asked = PaidOut(row["serial"], row["number"], receipt)
    await copy.base.keeper.write(partial(noting.pay_out, asked=asked, said=said))


def changes(copy: Copy) -> Iterator[tuple[str, Table, Row, Row | None]]:
    """Each column of each table, each time in another row, and each row deleted: `table.column`, and what is written.

    They are the tables' own: a column that is new is here too.
    """
    for table in ALL_TABLES:
        rows = copy.rows[table.name]
        assert rows, table.name
        for number, column in enumerate(table.columns):
            row = rows[number % len(rows)]
            yield f"{table.name}.{column.name}", table, row, {column.name: other(column, row[column.name])}
        yield f"{table.name} deleted", table, rows[-1], None
        yield f"{table.name} deleted first", table, rows[0], None


def indicium_of(copy: Copy, row: Row) -> bytes:
    """Of a piece, as it was issued."""
    signed = [entry["content"] for entry in copy.rows["entries"] if entry["kind"] == Kind.TRANSACTION_RECORD]
    issued = [indicated.indicium for one in signed for indicated in unverified_transaction(one).indicia]
    return next(octets for octets in issued if digest(octets) == row["digest"])


def told(findings: Findings) -> set[tuple[str, str]]:
    return {(finding.table, finding.column) for finding in findings.shown}


@pytest.mark.clause("M23", "M22", "M26", "M29")
async def test_every_column_of_every_table_that_staff_change_is_found(either: Copy) -> None:
    assert told((await either.audited()).findings) == set()
    missed = []
    for name, table, row, values in changes(either):
        if values is None:
            either.remove(table, row)
        else:
            either.change(table, row, values)
        found = told((await either.audited()).findings)
        either.restore(table)
        if not _is_found(table, set(values or ()), found):
            missed.append((name, found))
    assert missed == []
    after = await either.audited()
    assert (told(after.findings), after.is_compared) == (set(), True)
    assert after.rows == {name: len(either.rows[name]) for name in after.rows}
    assert set(after.rows) | {"entries", "log_heads", "checkpoints"} == {table.name for table in ALL_TABLES}


def _is_found(table: Table, written: set[str], found: set[tuple[str, str]]) -> bool:
    """The table is named and no other one, and the column where it is no key; of the log, that it is damaged."""
    if table in OF_THE_LOG:
        return bool(found)
    is_key = not written or any(table.columns[name].primary_key for name in written)
    columns = {column for _, column in found}
    return {where for where, _ in found} == {table.name} and (is_key or columns == written)


@pytest.mark.clause("M23")
async def test_a_version_that_this_program_did_not_write_is_named(either: Copy) -> None:
    (row,) = either.rows[VERSIONS.name]
    either.change(VERSIONS, row, {"version_num": "m9999"})
    found = (await either.audited()).findings.shown
    either.restore(VERSIONS)
    assert {(one.table, one.key, one.log, one.there) for one in found} == {
        (VERSIONS.name, row["version_num"], "a row", "nothing"),
        (VERSIONS.name, "m9999", "nothing", "a row"),
    }


@pytest.mark.clause("M27", "M29", "M23")
async def test_what_staff_would_gain_by_is_named(either: Copy) -> None:
    open_one, paid = sorted(either.rows["payouts"], key=lambda row: row["receipt"] is not None)
    seen = max(either.rows["indicia"], key=lambda row: row["seen"])
    back = max(either.rows["indicia"], key=lambda row: row["given_back"])
    for table, row, values in (
        # A mailer is never paid, or twice; a piece is new again; a refund goes to somebody else.
        (PAYOUTS, open_one, {"receipt": paid["receipt"]}),
        (PAYOUTS, paid, {"receipt": None}),
        (PAYOUTS, open_one, {"account": paid["account"]}),
        (INDICIA, seen, {"seen": 0}),
        (INDICIA, back, {"given_back": 0}),
        (WARNINGS, either.rows["warnings"][0], {"word": "behind", "why": "nothing"}),
        # What an audit keeps of long octets is no way around it.
        (METERS, either.rows["meters"][0], {"record": b"H" + bytes(32)}),
    ):
        either.change(table, row, values)
        findings = (await either.audited()).findings
        either.restore(table)
        assert told(findings) == {(table.name, column) for column in values}


@pytest.mark.clause("M23")
async def test_a_row_that_nobody_stored_is_found(copy: Copy) -> None:
    for table in (MAILERS, METERS, JOURNAL, INDICIA, WARNINGS, PAYOUTS):
        (row, *_) = copy.rows[table.name]
        copy.add(table, {column.name: other(column, row[column.name]) for column in table.columns})
        (finding,) = (await copy.audited()).findings.shown
        copy.restore(table)
        assert (finding.table, finding.column, finding.log, finding.there) == (table.name, "", "nothing", "a row")


@pytest.mark.clause("M27", "M23")
async def test_a_piece_made_new_and_scanned_again_is_found_by_the_log_alone(copy: Copy, tmp_path: Path) -> None:
    seen = max(copy.rows["indicia"], key=lambda row: row["seen"])
    copy.change(INDICIA, seen, {"seen": 0})
    octets = indicium_of(copy, seen)
    scan = Scan(seen["serial"], seen["counter"], seen["piece"], octets, copy.trusted.now)
    assert (await copy.base.server.scan(OPERATOR, scan)).seen == 0
    # By the operator, in the row and in the scan; by a witness, who has the log.
    assert told((await copy.audited()).findings) == {("indicia", "seen"), ("indicia", "seen, given_back")}
    answer = Witness(tmp_path).asks(await copy.exported())
    assert [outcome for _, outcome in answer.found] == ["forgotten"]


@pytest.mark.clause("M29", "M23")
async def test_a_receipt_that_the_provider_did_not_sign_for_it_is_found(copy: Copy) -> None:
    open_one, paid = sorted(copy.rows["payouts"], key=lambda row: row["receipt"] is not None)
    for receipt in (b"a receipt", paid["receipt"]):
        copy.change(PAYOUTS, open_one, {"receipt": None})
        await pay_out(copy, open_one, receipt)
    findings = (await copy.audited()).findings
    assert [(finding.table, finding.column) for finding in findings.shown] == [("payouts", "receipt")] * 3


@pytest.mark.clause("M29", "M23")
async def test_a_refund_that_was_paid_twice_is_found_by_operator_and_witness(copy: Copy, tmp_path: Path) -> None:
    """Staff put back the provider's older book, and emptied the column: it is due once more, and paid once more."""
    (row,) = [row for row in copy.rows["payouts"] if row["receipt"] is not None]
    size = len(copy.rows["entries"])
    copy.change(PAYOUTS, row, {"receipt": None})
    await pay_out(copy, row, b"the receipt of a second payment")
    where, (noted,) = (
        f"{row['serial']} {row['number']}",
        [entry["number"] for entry in copy.rows["entries"] if row["receipt"] in entry["content"]],
    )
    found = [(one.key, one.log, one.there) for one in (await copy.audited()).findings.shown]
    assert (where, f"entry {noted}: paid", f"entry {size}: unlawful, another receipt: it was paid twice") in found
    (finding,) = Witness(tmp_path).asks(await copy.exported()).json["findings"]
    assert (finding["place"], finding["outcome"]) == (size, "unlawful")
    assert finding["why"] == (
        f"refund {row['number']} of {row['serial']} was paid twice: entry {noted} has another receipt for it"
    )


@pytest.mark.clause("M29", "M23")
async def test_a_receipt_that_was_taken_out_and_written_again_is_found(copy: Copy, tmp_path: Path) -> None:
    (row,) = [row for row in copy.rows["payouts"] if row["receipt"] is not None]
    copy.change(PAYOUTS, row, {"receipt": None})
    await pay_out(copy, row, row["receipt"])
    (finding,) = (await copy.audited()).findings.shown
    assert (finding.table, finding.column) == ("payouts", "receipt")
    assert finding.there.endswith("the same one again")
    # Nothing was paid by that: a witness has nothing to say.
    assert Witness(tmp_path).asks(await copy.exported()).json["is_well"]


@pytest.mark.clause("M29", "M23")
async def test_money_that_went_back_for_no_refund_is_found(copy: Copy) -> None:
    (paid, *_) = copy.rows["payouts"]
    added = paid | {"id": 1_000, "number": 7, "receipt": None}
    copy.add(PAYOUTS, added)
    await pay_out(copy, added, b"a receipt")
    found = told((await copy.audited()).findings)
    assert found == {("entries", "content"), ("payouts", "")}


@pytest.mark.clause("M22", "M23")
async def test_a_warning_whose_id_was_given_again_is_missed(copy: Copy) -> None:
    (row,) = copy.rows["warnings"]
    copy.remove(WARNINGS, row)
    await copy.base.server.warn(peer(), Warn("behind", "", "another", copy.trusted.now))
    (finding,) = (await copy.audited()).findings.shown
    assert (finding.table, finding.key) == ("warnings", str(row["id"]))


async def test_what_stands_in_the_log_and_is_no_record_is_found(copy: Copy) -> None:
    head = await copy.base.server.fetch_log_head(OPERATOR, FetchLogHead())
    # A warning's note, by somebody who cannot count.
    await copy.base.server.note_order(OPERATOR, NoteOrder(encode([3, "tampering"]), head.size))
    (finding,) = (await copy.audited()).findings.shown
    assert (finding.table, finding.key, finding.column) == ("entries", str(head.size), "content")


async def test_many_rows_in_doubt_are_looked_at_in_portions(either: Copy) -> None:
    (row, *_) = either.rows["warnings"]
    for number in range(2 * KEYS_LIMIT + 1):
        either.add(WARNINGS, row | {"id": 1000 + number})
    assert (await either.audited()).findings.count == 2 * KEYS_LIMIT + 1


async def test_a_row_that_no_answer_holds_is_found_too(copy: Copy) -> None:
    copy.change(PAYOUTS, copy.rows["payouts"][0], {"signed": bytes(1 << 20)})
    assert ("payouts", "signed") in told((await copy.audited()).findings)


async def test_keys_that_no_question_holds_are_found_too(copy: Copy) -> None:
    (row, *_) = copy.rows["meters"]
    for number in range(3):
        copy.add(METERS, row | {"serial": f"{number}" * 30_000})
    findings = (await copy.audited()).findings
    assert [finding.key for finding in findings.shown] == [f"{number}" * 80 for number in range(3)]


def _first_again(table: Table) -> Callable[[Any, Any], Any]:
    """The first page of a table, whatever is asked for: a database server of somebody's own."""
    first: list[Rows] = []

    def says(asked: Any, answer: Any) -> Any:
        if isinstance(asked, FetchRows) and asked.table == table.name:
            first.append(answer)
            return first[0]
        return answer

    return says


@pytest.mark.clause("M23")
@pytest.mark.parametrize("table", [*TABLES, VERSIONS, ENTRIES], ids=str)
async def test_pages_that_do_not_go_up_are_an_error(copy: Copy, table: Table) -> None:
    copy.says = _first_again(table)
    with pytest.raises(OperatorError) as error, told_to_operators("the tables were not audited"):
        await copy.audited()
    why = f"malformed: rows of {table.name} did not come in the order of their keys, each once"
    assert error.value.lines == f"error: the tables were not audited\nwhy:   {why}\ntry:   fob-office centre status"


@pytest.mark.clause("M23")
@pytest.mark.parametrize("row", [(), ("FM", b"", b"", 1, 1, 1), ([], b"", b"", 1, 1)], ids=str)
async def test_what_is_no_row_is_an_error(copy: Copy, row: Any) -> None:
    copy.says = lambda asked, answer: Rows((row,)) if getattr(asked, "table", "") == METERS.name else answer
    with pytest.raises(BusRefusedError, match="malformed: what came as a row of meters is none"):
        await copy.audited()


@pytest.mark.clause("M23")
async def test_rows_that_nobody_asked_for_are_an_error(copy: Copy) -> None:
    """Those in doubt are asked for until they came."""
    (row, *_) = copy.rows["warnings"]
    copy.change(WARNINGS, row, {"word": "behind"})
    another = Rows(((row["id"] + 1, "behind", "", "", 0),))
    copy.says = lambda asked, answer: another if isinstance(asked, FetchRowsOf) else answer
    with pytest.raises(BusRefusedError, match="malformed: rows of warnings came that were not asked for"):
        await copy.audited()


async def test_without_room_for_what_the_log_says_nothing_is_found_out(
    copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_office.centre.auditing.expected._PUT", "INSERT INTO nowhere VALUES (?)")
    with pytest.raises(OperatorError, match="what the log says cannot be kept: no such table"):
        await copy.audited()


async def test_a_log_that_is_damaged_is_said_first(copy: Copy) -> None:
    copy.remove(ENTRIES, copy.rows["entries"][5])
    found = await copy.audited()
    assert (found.entries, found.is_compared, found.rows) == (5, False, {VERSIONS.name: 1})
    assert ("entries", "number") in told(found.findings)


async def test_a_checkpoint_that_is_taken_away_is_missed_by_the_box_that_signed_it(copy: Copy) -> None:
    for row in copy.rows["checkpoints"]:
        copy.remove(CHECKPOINTS, row)
    (finding,) = (await copy.audited()).findings.shown
    assert (finding.table, finding.log) == ("checkpoints", "a checkpoint that a box signed")


async def test_what_is_over_may_be_missing_and_nothing_else(copy: Copy) -> None:
    now = copy.trusted.now
    erased = await copy.base.keeper.write(partial(erase, now=now + JOURNAL_TIME + 1))
    assert erased == len(copy.rows["journal"])
    found = await copy.audited()
    assert {finding.table for finding in found.findings.shown} == {"journal", "warnings"}
    copy.trusted = replace(copy.trusted, now=now + JOURNAL_TIME + 1)
    assert (await copy.audited()).findings.count == 0


@pytest.mark.clause("M20", "M23")
async def test_a_data_centre_that_works_meanwhile_is_not_accused(centre: DataCentre) -> None:
    await lived(centre)
    async with centre.function_server() as (server, _):
        carl = Mailer(centre, server, "carl")
        await carl.sign_up()
        await carl.load(500)

        async def work() -> None:
            for _ in range(12):
                await carl.frank(1)

        working = asyncio.create_task(work())
        looks = 0
        while not working.done():
            found = await audited(centre)
            assert (found.findings.shown, found.is_compared) == ([], True)
            looks += 1
        await working
        assert looks

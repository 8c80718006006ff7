"""A batch is its meter's, and what became of an order that was cut is said with what is asked next (M33)."""

import sqlite3
from contextlib import closing

import pytest

from daemon_metering.bench import ZSH, Bench, Kill, KilledError, due, letters
from fob_daemon.control.errors import ControlError
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.reading import transaction_of
from fob_daemon.metering.refusing import PieceError
from fob_daemon.metering.reports import Ended
from fob_daemon.metering.views import Piece
from support.fake_meter import SERIAL

pytestmark = pytest.mark.clause("M33")

OTHER = "FM01000000014"


async def waiting(bench: Bench, count: int) -> int:
    """A batch that found too little money."""
    bench.meter.descending = 95 * (count - 1)
    number = await bench.begin(count)
    with pytest.raises(Exception, match="insufficient-funds"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    return number


async def test_a_batch_is_never_paid_by_another_mailer_s_meter(bench: Bench) -> None:
    number = await waiting(bench, 2)
    bench.meter.serial, bench.meter.name = OTHER, "eve"
    bench.meter.rich()
    # The device says so to a computer that has not heard of it; then that computer knows.
    for asked in (["+FOBMETERFRANK", "+FOBMETER"], []):
        bench.link.asked.clear()
        with pytest.raises(ControlError, match=f"the batch is meter {SERIAL}'s, and the device has {OTHER} of eve"):
            await bench.desk.frank(number, ZSH, lambda done: None)
        assert bench.link.asked == asked
    assert bench.meter.paid == []
    bench.meter.serial, bench.meter.name = SERIAL, "ada"
    await bench.desk.state()
    await bench.desk.frank((await bench.desk.resumable()).number, ZSH, lambda done: None)
    assert await bench.digests() == due(2)


async def test_a_letter_that_waited_is_not_paid_by_another_meter_either(bench: Bench) -> None:
    number = await waiting(bench, 1)
    bench.meter.serial = OTHER
    bench.meter.rich()
    with pytest.raises(ControlError, match="the batch is meter"):
        await bench.desk.frank(number, ZSH, lambda done: None)
    # It is in nobody's way: the next letter is the other meter's.
    await bench.desk.frank(await bench.begin(1), ZSH, lambda done: None)
    assert [(job.serial, job.value_kind, job.done) for job in await bench.desk.jobs()] == [(OTHER, "eur-cent", 1)]


async def test_without_a_meter_nothing_is_begun(bench: Bench) -> None:
    bench.meter.stage = "none"
    with pytest.raises(ControlError, match="the device has no meter"):
        await bench.desk.begin_job("XRATE")
    assert await bench.desk.jobs() == []


# What the link was about to do when the daemon died: bring the answer, or say that it was taken.
ANSWER, TAKEN = 2, 3


async def cut_load(bench: Bench, at: int = TAKEN) -> None:
    """It is done, and nobody heard so."""
    bench.link.kill = Kill(at)
    with pytest.raises(KilledError):
        await bench.desk.load(600, ZSH)
    bench.start()
    assert len(bench.meter.paid) == 1


async def test_what_was_cut_and_is_taken_over_is_said(bench: Bench) -> None:
    await bench.desk.state()
    await cut_load(bench)
    taken = await bench.desk.take_over()
    assert (taken.is_own, taken.ended) == (True, Ended("load", "eur-cent", 2, 600, 0, SERIAL))
    assert (taken.meter.counter, len(bench.meter.paid)) == (2, 1)
    with pytest.raises(ControlError, match="keeps no result"):
        await bench.desk.take_over()


async def test_what_was_cut_is_said_with_what_comes_next_once(bench: Bench) -> None:
    await bench.desk.state()
    await cut_load(bench)
    assert (await bench.desk.load(500, ZSH)).is_resumed is False
    assert (bench.desk.ended(), bench.desk.ended()) == ([Ended("load", "eur-cent", 2, 600, 0, SERIAL)], [])
    await bench.desk.refund(500, 0, 0, ZSH)
    assert bench.desk.ended() == []
    assert [amount for _, amount in bench.meter.paid] == [600, 500, 500]


async def test_the_same_again_is_the_same(bench: Bench) -> None:
    await bench.desk.state()
    await cut_load(bench)
    paid = await bench.desk.load(600, ZSH)
    assert (paid.amount, paid.is_resumed, len(bench.meter.paid), bench.desk.ended()) == (600, True, 1, [])


async def two_mailers(bench: Bench) -> None:
    """Ada franked counter 2, batch 1; eve franked counter 2 too, and loaded at 3."""
    await bench.desk.state()
    await bench.desk.frank(await bench.begin(2), ZSH, lambda done: None)
    bench.meter.become(OTHER, "eve").rich()
    await bench.desk.state()
    await bench.desk.frank(await bench.begin(1), ZSH, lambda done: None)
    await bench.desk.load(500, ZSH)


async def test_two_meters_that_count_alike_are_not_mixed_up(bench: Bench) -> None:
    ada = bench.meter.records
    await two_mailers(bench)
    first, second = [(await bench.desk.kept(job))[0] for job in (1, 2)]
    assert [(one.serial, one.counter) for one in (first, second)] == [(SERIAL, 2), (OTHER, 2)]
    # Of the device's meter where nobody says which.
    assert transaction_of(await bench.desk.record(2)).serial == OTHER
    found = transaction_of(await bench.desk.record(2, SERIAL))
    assert (found.serial, len(found.indicia)) == (SERIAL, 2)
    # What is not kept only the meter's own device can fetch.
    with pytest.raises(ControlError, match=f"transaction 9 of meter {SERIAL} is not kept here, and the device has"):
        await bench.desk.record(9, SERIAL)
    bench.meter.become(SERIAL, "ada").rich()
    bench.meter.records, bench.meter.counter = ada, 2
    assert transaction_of(await bench.desk.record(2)).serial == SERIAL
    assert (await bench.desk.refund(None, 2, 1, ZSH)).amount == 95
    report = await bench.desk.report("pixel", None)
    assert report is not None
    assert (report.meter.serial, report.last) == (SERIAL, 190)


async def test_a_file_of_before_is_told_which_meter_s_its_transactions_are(bench: Bench) -> None:
    await two_mailers(bench)
    await bench.desk.close()
    with closing(sqlite3.connect(bench.path)) as database, database:
        database.executescript(
            "DROP INDEX orders_counter; ALTER TABLE orders DROP COLUMN serial;"
            "CREATE INDEX orders_counter ON orders (counter); PRAGMA user_version = 2;"
        )
    store = MeterStore.at(bench.path)
    assert [one.serial for one in store.orders.kept(None, 5)] == [OTHER, SERIAL]
    store.file.close()


async def test_an_order_of_the_meter_before_is_taken_over_as_that_one_s(bench: Bench) -> None:
    await bench.desk.state()
    await cut_load(bench)
    bench.meter.become(OTHER, "eve").rich(700)
    taken = await bench.desk.take_over()
    assert taken.ended == Ended("load", "eur-cent", 2, 600, 0, SERIAL)
    assert (taken.meter.serial, taken.meter.descending) == (OTHER, 700)


async def test_what_another_computer_took_is_said_to_be_unknown(bench: Bench) -> None:
    await bench.desk.state()
    await cut_load(bench, ANSWER)
    bench.meter.over, bench.meter.kept = bench.meter.kept[0] if bench.meter.kept else None, None
    await bench.desk.load(500, ZSH)
    assert bench.desk.ended() == [Ended("", "eur-cent")]


async def test_a_batch_that_was_cut_when_all_was_paid_is_gone_on_with(bench: Bench) -> None:
    whole, counted = Bench(bench.path.with_name("whole.db")), Kill()
    begun = await whole.begin(2)
    await whole.start(counted).frank(begun, ZSH, lambda done: None)
    number = await bench.begin(2)
    # The last thing of all is that the batch is closed.
    bench.start(Kill(counted.steps - 1))
    with pytest.raises(KilledError):
        await bench.desk.frank(number, ZSH, lambda done: None)
    bench.start()
    job = await bench.desk.resumable()
    assert (job.number, job.done, job.total) == (number, 2, 2)
    assert (await bench.desk.frank(job.number, ZSH, lambda done: None)).done == 2
    assert len(bench.meter.paid) == 1
    with pytest.raises(ControlError, match="no batch waits") as error:
        await bench.desk.resumable()
    assert error.value.next_command == "fob meter print LAST    (what is paid is kept)"


async def test_one_piece_is_rated_first_where_somebody_wants_that(bench: Bench) -> None:
    number = (await bench.desk.begin_job("XRATE")).job
    await bench.desk.add(number, [Piece("20095", "A", "letter", grams=20, zone="moon")])
    with pytest.raises(PieceError, match="piece 1 of 1"):
        await bench.desk.frank(number, ZSH, lambda done: None, judges=True)
    assert bench.asked("+FOBMETERFRANK") == 0


async def test_a_file_of_before_says_of_no_batch_whose_it_is(bench: Bench) -> None:
    await bench.desk.frank(await bench.begin(1), ZSH, lambda done: None)
    await bench.desk.close()
    with closing(sqlite3.connect(bench.path)) as database, database:
        database.executescript(
            "DROP INDEX orders_counter; ALTER TABLE orders DROP COLUMN serial;"
            "CREATE INDEX orders_counter ON orders (counter);"
            "ALTER TABLE jobs DROP COLUMN serial; ALTER TABLE jobs DROP COLUMN value_kind; PRAGMA user_version = 1;"
        )
    store = MeterStore.at(bench.path)
    assert [(job.serial, job.value_kind, job.done) for job in store.jobs.newest(5)] == [("", "", 1)]
    store.file.close()
    bench.start()
    await bench.desk.add((await bench.desk.begin_job("XRATE")).job, letters(1))
    assert [job.serial for job in await bench.desk.jobs()] == [SERIAL, ""]

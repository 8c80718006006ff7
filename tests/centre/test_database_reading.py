"""What function servers and operators look up, and what is noted beside transactions."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.commands import encode_reply
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import (
    FetchLog,
    FetchLogHead,
    FetchMeters,
    FetchOrders,
    FetchPayouts,
    FetchRows,
    FetchRowsOf,
    FetchTransactions,
    FetchWarnings,
    FindMailer,
    Mailer,
    OpenPayout,
    PaidOut,
    Payout,
    Reindex,
    Scan,
    Scanned,
    Warn,
)
from fob_office.centre.database.leaves import Answered, Gap, PaidBack, Sighting, Warned
from fob_office.centre.database.limits import ERASED_AT_ONCE, JOURNAL_TIME, KEYS_LIMIT, PAYOUTS_PAGE
from fob_office.centre.database.noting import erase
from fob_office.centre.limits import FRAME_LIMIT
from fob_protocol.cose import cbor
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.entry import Kind as EntryKind
from support.centre import NOW
from support.centre_database import (
    MeterBase,
    account_of,
    frank,
    hash_of,
    indicium,
    meter_base,
    meter_record,
    peer,
    receipt_of,
    request_id,
    sign_up,
    transaction,
    user_record,
)
from support.log_entries import read_entry

OPERATOR = peer(Kind.OPERATOR)


@pytest.fixture
def base(meters_url: str) -> Iterator[MeterBase]:
    with meter_base(meters_url) as made:
        yield made


async def franked(base: MeterBase, serial: str, last: int) -> None:
    """A meter whose record has this counter."""
    await base.store(sign_up(serial, serial))
    for counter in range(2, last + 1):
        await base.store(frank(serial, counter))


async def entries(base: MeterBase) -> list[tuple[EntryKind, bytes]]:
    """The whole log, page by page."""
    found: list[tuple[EntryKind, bytes]] = []
    while page := (await base.server.fetch_log(OPERATOR, FetchLog(len(found)))).entries:
        found += [(entry.kind, entry.content) for entry in map(read_entry, page)]
    return found


async def test_a_mailer_is_found_by_any_way_to_write_the_name(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Jörg"))
    found = await base.server.find_mailer(peer(), FindMailer(request_id("FM-1", 1), " JO\u0308RG"))
    assert found == Mailer((hash_of(request_id("FM-1", 1)), b"welcome"), user_record("FM-1", "Jörg"), "FM-1")
    nobody = await base.server.find_mailer(peer(), FindMailer(bytes(16), "Anna"))
    assert nobody == Mailer(None, None, None)


@pytest.mark.clause("M5", "M6")
async def test_transactions_of_a_meter_are_given_as_they_were_signed(base: MeterBase) -> None:
    await franked(base, "FM-1", 4)
    await franked(base, "FM-2", 2)
    signed = (await base.server.fetch_transactions(peer(), FetchTransactions("FM-1", 2, 5))).transactions
    assert signed == (transaction("FM-1", 3), transaction("FM-1", 4))
    first = (await base.server.fetch_transactions(peer(), FetchTransactions("FM-1", 0, 1))).transactions
    assert first == (transaction("FM-1", 1, Deed.CREATE, ()),)


async def test_meters_come_in_the_order_of_their_serials(base: MeterBase) -> None:
    for serial in ("FM-2", "FM-3", "FM-1"):
        await base.store(sign_up(serial, serial))
    page = await base.server.fetch_meters(OPERATOR, FetchMeters("FM-1", 1))
    assert page.meters == (("FM-2", meter_record("FM-2", 1)),)
    assert len((await base.server.fetch_meters(OPERATOR, FetchMeters("", 10))).meters) == 3


async def test_the_log_has_all_records_in_the_order_in_which_they_were_stored(base: MeterBase) -> None:
    await franked(base, "FM-1", 3)
    assert await entries(base) == [
        (EntryKind.TRANSACTION_RECORD, transaction("FM-1", 1, Deed.CREATE, ())),
        (EntryKind.METER_RECORD, meter_record("FM-1", 1)),
        (EntryKind.USER_RECORD, user_record("FM-1", "FM-1")),
        (EntryKind.TRANSACTION_RECORD, transaction("FM-1", 2)),
        (EntryKind.METER_RECORD, meter_record("FM-1", 2)),
        (EntryKind.TRANSACTION_RECORD, transaction("FM-1", 3)),
        (EntryKind.METER_RECORD, meter_record("FM-1", 3)),
    ]


async def test_a_gap_after_a_restored_backup_is_a_note_in_the_log(base: MeterBase) -> None:
    await franked(base, "FM-1", 2)
    recovered = frank("FM-1", 5)
    assert recovered.meter is not None
    await base.store(replace(recovered, meter=replace(recovered.meter, counter_before=2)))
    assert (await entries(base))[-1] == (EntryKind.NOTE, Gap("FM-1", 2, 5, NOW).octets())


async def test_warnings_are_kept_in_their_order(base: MeterBase) -> None:
    for word in ("tampering", "behind"):
        await base.server.warn(peer(), Warn(word, "FM-1", "an old record", NOW))
    first, second = (await base.server.fetch_warnings(OPERATOR, FetchWarnings(0))).warnings
    assert first[1:] == ("tampering", "FM-1", "an old record", NOW)
    assert (await base.server.fetch_warnings(OPERATOR, FetchWarnings(first[0]))).warnings == (second,)
    # In the log for ever.
    notes = [Warned(*warning).octets() for warning in (first, second)]
    assert await entries(base) == [(EntryKind.NOTE, note) for note in notes]


async def test_a_warning_of_a_damaged_log_is_kept_without_the_log(base: MeterBase) -> None:
    base.run("DELETE FROM log_heads")
    await base.server.warn(peer(), Warn("damaged", "", "no head", NOW))
    assert len((await base.server.fetch_warnings(OPERATOR, FetchWarnings(0))).warnings) == 1
    assert base.count("entries") == 0


async def test_money_that_goes_back_is_open_until_its_receipt_is_there(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    owed = Payout(account_of("FM-1"), "FM-1", 2, 500, hash_of(b"refund"), b"signed")
    await base.store(replace(frank("FM-1", 2), payout=owed))
    assert (await base.server.fetch_payouts(peer(), FetchPayouts(0))).payouts == (
        OpenPayout(owed.account, "FM-1", 2, 500, owed.request_digest, b"signed", meter_record("FM-1", 2), 3),
    )
    for _ in range(2):
        await base.server.paid_out(peer(), PaidOut("FM-1", 2, receipt_of(owed)))
        assert (await base.server.fetch_payouts(peer(), FetchPayouts(0))).payouts == ()
    # Its transaction's entry, and one note that it was paid.
    assert base.run("SELECT id FROM payouts") == [(3,)]
    assert (await entries(base))[5:] == [(EntryKind.NOTE, PaidBack("FM-1", 2, receipt_of(owed)).octets())]
    with pytest.raises(BusRefusedError, match="no-payout"):
        await base.server.paid_out(peer(), PaidOut("FM-1", 3, receipt_of(owed)))


@pytest.mark.clause("M29")
async def test_no_receipt_takes_the_place_of_another_one(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    owed = Payout(account_of("FM-1"), "FM-1", 2, 500, hash_of(b"refund"), b"signed")
    await base.store(replace(frank("FM-1", 2), payout=owed))
    await base.server.paid_out(peer(), PaidOut("FM-1", 2, receipt_of(owed)))
    with pytest.raises(BusRefusedError, match="tampering: refund 2 has another receipt already"):
        await base.server.paid_out(peer(), PaidOut("FM-1", 2, receipt_of(owed, time=NOW + 1)))
    assert base.run("SELECT receipt FROM payouts") == [(receipt_of(owed),)]
    assert base.count("entries") == 6


@pytest.mark.clause("M29")
async def test_a_payout_ends_by_a_receipt_for_just_that(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    owed = Payout(account_of("FM-1"), "FM-1", 2, 500, hash_of(b"refund"), b"signed")
    await base.store(replace(frank("FM-1", 2), payout=owed))
    others: tuple[dict[str, Any], ...] = (
        {"amount": 500}, {"amount": -499}, {"number": 1}, {"serial": "FM-2"}, {"account": bytes(16)},
        {"request_digest": bytes(32)},
    )  # fmt: skip
    for receipt in (b"a receipt", *(receipt_of(owed, **other) for other in others)):
        with pytest.raises(BusRefusedError, match="tampering"):
            await base.server.paid_out(peer(), PaidOut("FM-1", 2, receipt))
    assert len((await base.server.fetch_payouts(peer(), FetchPayouts(0))).payouts) == 1
    # The sign-up and the refund: no note that it was paid.
    assert base.count("entries") == 5


async def test_payouts_are_given_a_page_at_a_time_the_oldest_first(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    for number in range(1, PAYOUTS_PAGE + 2):
        payout = Payout(account_of("FM-1"), "FM-1", number, 1, bytes(32), b"signed")
        await base.store(replace(frank("FM-1", number + 1), payout=payout))
    given = (await base.server.fetch_payouts(peer(), FetchPayouts(0))).payouts
    assert [payout.number for payout in given] == list(range(1, PAYOUTS_PAGE + 1))
    behind = (await base.server.fetch_payouts(peer(), FetchPayouts(given[-1].id))).payouts
    assert [payout.number for payout in behind] == [PAYOUTS_PAGE + 1]
    assert (await base.server.fetch_payouts(peer(), FetchPayouts(behind[-1].id))).payouts == ()


async def test_what_somebody_wrote_into_payouts_fits_an_answer(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    for number in range(1, PAYOUTS_PAGE + 1):
        payout = Payout(account_of("FM-1"), "FM-1", number, 1, bytes(32), b"signed")
        await base.store(replace(frank("FM-1", number + 1), payout=payout))
    base.run("UPDATE payouts SET signed = :much", much=bytes(40_000))
    given = await base.server.fetch_payouts(peer(), FetchPayouts(0))
    # Nothing that is no payout, but its place: what is behind it can be asked for.
    assert {payout.transaction for payout in given.payouts} == {b""}
    assert len(encode_reply(1, given)) < FRAME_LIMIT
    assert len({payout.id for payout in given.payouts}) == PAYOUTS_PAGE


@pytest.mark.clause("M27")
async def test_a_piece_is_known_when_it_comes_by_again(base: MeterBase) -> None:
    await franked(base, "FM-1", 2)
    scan = Scan("FM-1", 2, 0, indicium("FM-1", 2), NOW)
    outcomes = [await base.server.scan(OPERATOR, scan) for _ in range(3)]
    assert outcomes == [Scanned(was_issued=True, given_back=False, seen=times) for times in range(3)]
    sightings = [Sighting("FM-1", 2, 0, hash_of(scan.indicium), NOW, times, 0) for times in range(3)]
    assert (await entries(base))[-3:] == [(EntryKind.SCAN, sighting.octets()) for sighting in sightings]


@pytest.mark.clause("M27", "M33")
async def test_a_scan_that_is_said_again_is_answered_as_it_was(base: MeterBase) -> None:
    await franked(base, "FM-1", 3)
    scan = Scan("FM-1", 2, 0, indicium("FM-1", 2), NOW, id=b"one scan of many")
    first = await base.server.scan(OPERATOR, scan)
    count = len(await entries(base))
    assert await base.server.scan(OPERATOR, replace(scan, time=NOW + 60)) == first == Scanned(True, False, 0)
    assert len(await entries(base)) == count
    ((request,),) = base.run("SELECT request FROM journal WHERE id = :id", id=scan.id)
    assert isinstance(request, bytes)
    answered = Answered(scan.id, request, hash_of(cbor.encode([True, False, 0])), NOW)
    assert (await entries(base))[-1] == (EntryKind.NOTE, answered.octets())
    assert (await base.server.scan(OPERATOR, replace(scan, id=b"another scan ..."))).seen == 1
    with pytest.raises(BusRefusedError, match="id-used"):
        await base.server.scan(OPERATOR, Scan("FM-1", 3, 0, indicium("FM-1", 3), NOW, id=scan.id))
    with pytest.raises(BusRefusedError, match="malformed"):
        await base.server.scan(OPERATOR, replace(scan, id=b"short"))


@pytest.mark.clause("M27")
async def test_a_look_at_a_piece_leaves_no_trace(base: MeterBase) -> None:
    await franked(base, "FM-1", 2)
    scan = Scan("FM-1", 2, 0, indicium("FM-1", 2), NOW)
    await base.server.scan(OPERATOR, scan)
    count = len(await entries(base))
    looks = [await base.server.scan(OPERATOR, replace(scan, is_noted=False)) for _ in range(2)]
    assert looks == [Scanned(was_issued=True, given_back=False, seen=1)] * 2
    assert len(await entries(base)) == count


@pytest.mark.parametrize(("counter", "piece", "content"), [(2, 1, 2), (3, 0, 3), (2, 0, 3), (1, 0, 1), (2, 300, 2)])
async def test_a_piece_that_no_transaction_knows_was_not_issued(
    base: MeterBase, counter: int, piece: int, content: int
) -> None:
    await franked(base, "FM-1", 2)
    scanned = await base.server.scan(OPERATOR, Scan("FM-1", counter, piece, indicium("FM-1", content), NOW))
    assert scanned == Scanned(was_issued=False, given_back=False, seen=0)


async def test_an_indicium_that_was_given_back_is_known_as_that(base: MeterBase) -> None:
    await franked(base, "FM-1", 2)
    unused = indicium("FM-1", 2)
    await base.store(replace(frank("FM-1", 3), transaction=transaction("FM-1", 3, Deed.CREDIT, (unused,))))
    scan = Scan("FM-1", 2, 0, unused, NOW)
    assert await base.server.scan(OPERATOR, scan) == Scanned(was_issued=True, given_back=True, seen=0)
    assert await base.server.scan(OPERATOR, scan) == Scanned(was_issued=True, given_back=True, seen=1)
    sighting = Sighting("FM-1", 2, 0, hash_of(unused), NOW, 1, 1)
    assert (await entries(base))[-1] == (EntryKind.SCAN, sighting.octets())


async def test_what_is_over_is_erased_in_small_portions(base: MeterBase) -> None:
    await franked(base, "FM-1", 2)
    await base.server.warn(peer(), Warn("tampering", "FM-1", "", NOW))
    for number in range(ERASED_AT_ONCE):
        base.run("INSERT INTO journal VALUES (:id, :id, :id, :time)", id=number.to_bytes(16), time=NOW - 1)
    end = partial(erase, now=NOW + JOURNAL_TIME)
    assert [await base.keeper.write(end) for _ in range(2)] == [ERASED_AT_ONCE, 0]
    assert base.run("SELECT count(*) FROM journal") == [(2,)]
    base.now = NOW + JOURNAL_TIME + 1
    assert await base.keeper.write(partial(erase, now=base.now)) == 2
    assert (base.count("journal"), base.count("warnings"), base.count("entries")) == (0, 0, 6)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("warn", Warn("w" * 33, "FM-1", "", NOW)),
        ("warn", Warn("tampering", "FM-1", "y" * 513, NOW)),
        ("warn", Warn("tampering", "FM-1", "\0", NOW)),
        ("warn", Warn("tampering", "FM-1", "", 1 << 60)),
        ("fetch_log", FetchLog(-1)),
        ("fetch_log_head", FetchLogHead(-1)),
        ("fetch_orders", FetchOrders(-1)),
        ("fetch_meters", FetchMeters("", 1 << 63)),
        ("fetch_rows", FetchRows("sqlite_schema", None)),
        ("fetch_rows", FetchRows("meters", (1,))),
        ("fetch_rows", FetchRows("transactions", ("FM-1",))),
        ("fetch_rows", FetchRows("entries", (1 << 63,))),
        ("fetch_rows_of", FetchRowsOf("meters", ())),
        ("fetch_rows_of", FetchRowsOf("meters", (("FM-1",),) * (KEYS_LIMIT + 1))),
        ("scan", Scan("FM-1", 1, 0, bytes(257), NOW)),
        ("paid_out", PaidOut("FM-1", 1, bytes(513))),
        ("reindex", Reindex("")),
        ("find_mailer", FindMailer(bytes(16), "\u200b")),
        ("find_mailer", FindMailer(bytes(16), "a" * 65)),
    ],
)
async def test_what_is_too_much_is_refused(base: MeterBase, name: str, asked: object) -> None:
    with pytest.raises(BusRefusedError, match="malformed"):
        await getattr(base.server, name)(OPERATOR, asked)
    assert base.count("warnings") == 0

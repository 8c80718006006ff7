"""Step 6 of a transaction: all of it is stored or nothing, once, and never over a record that is another."""

import asyncio
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import FetchWarnings, NewRecord, Store, Stored
from fob_protocol.cose import mac0, sign1
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed
from support.centre import NOW
from support.centre_database import (
    BOX,
    MeterBase,
    account_of,
    frank,
    hash_of,
    meter_base,
    meter_record,
    peer,
    request_id,
    sign_up,
    transaction,
    user_record,
)
from support.octets import flipped

NEW = Stored(is_new=True)
AGAIN = Stored(is_new=False)
TABLES = ("journal", "meters", "mailers", "transactions", "entries", "payouts", "indicia")


@pytest.fixture
def base(meters_url: str) -> Iterator[MeterBase]:
    with meter_base(meters_url) as made:
        yield made


def signed_on(serial: str, counter: int) -> Store:
    """The sign-on that makes the user record with this counter."""
    user = NewRecord(account_of(serial), counter - 1, user_record(serial, "Anna", counter))
    asked = hash_of(f"{serial} signs on {counter}".encode())
    return Store(asked[:16], asked, b"key", None, user, None, serial, None, None)


async def refused(base: MeterBase, store: Store) -> str:
    """The word; nothing was changed."""
    before = {table: base.count(table) for table in TABLES}
    with pytest.raises(BusRefusedError) as caught:
        await base.store(store)
    assert {table: base.count(table) for table in TABLES} == before
    return caught.value.word


@pytest.mark.clause("M5")
async def test_a_new_mailer_is_found_with_meter_and_answer(base: MeterBase) -> None:
    assert await base.store(sign_up("FM-1", "Anna")) == NEW
    fetched = await base.fetch("FM-1", request_id("FM-1", 1))
    assert fetched.done == (hash_of(request_id("FM-1", 1)), b"welcome")
    assert (fetched.meter, fetched.user) == (meter_record("FM-1", 1), user_record("FM-1", "Anna"))
    nothing = await base.fetch("FM-2")
    assert (nothing.done, nothing.meter, nothing.user) == (None, None, None)


@pytest.mark.clause("M25")
async def test_a_frank_takes_the_place_of_the_record_before(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    assert await base.store(frank("FM-1", 2)) == NEW
    assert (await base.fetch("FM-1")).meter == meter_record("FM-1", 2)
    assert base.run("SELECT counter, funds FROM meters") == [(2, 1)]


@pytest.mark.clause("M33")
async def test_what_comes_again_was_done_already(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    await base.store(frank("FM-1", 2))
    await base.store(frank("FM-1", 3))
    assert await base.store(frank("FM-1", 2)) == AGAIN
    assert await base.store(sign_up("FM-1", "Anna")) == AGAIN
    assert (await base.fetch("FM-1")).meter == meter_record("FM-1", 3)
    assert base.grown == [3, 2, 2]


async def test_a_request_id_is_for_one_request(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    sign_on = signed_on("FM-1", 2)
    assert await base.store(sign_on) == NEW
    other = replace(signed_on("FM-1", 3), place=sign_on.place, request_digest=bytes(32))
    assert await refused(base, other) == "id-used"


@pytest.mark.clause("M33", "M29")
@pytest.mark.parametrize("request_there", [bytes(32), hash_of(request_id("FM-1", 2))])
async def test_what_a_meter_box_did_takes_the_place_of_what_staff_wrote_there(
    base: MeterBase, request_there: bytes
) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    right = frank("FM-1", 2)
    row = {"id": right.place, "request": request_there, "answer": b"nothing was done", "time": NOW}
    base.run("INSERT INTO journal VALUES (:id, :request, :answer, :time)", **row)
    assert await base.store(right) == NEW
    assert await base.store(right) == AGAIN
    fetched = await base.fetch("FM-1", right.place)
    assert (fetched.done, fetched.meter) == ((right.request_digest, right.answer), meter_record("FM-1", 2))
    warnings = (await base.server.fetch_warnings(peer(Kind.OPERATOR), FetchWarnings(0))).warnings
    assert [(word, serial) for _, word, serial, _, _ in warnings] == [("id-used", "FM-1")]
    # The next one, whose record does not follow, takes nobody's place.
    wrong = replace(frank("FM-1", 4), place=right.place)
    assert await refused(base, wrong) == "conflict"


async def test_another_record_than_the_one_before_is_a_conflict(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    assert await refused(base, frank("FM-1", 3)) == "conflict"
    assert await refused(base, frank("FM-2", 2)) == "conflict"
    again = replace(sign_up("FM-1", "Bert"), place=bytes(16), user=None, name=None)
    assert await refused(base, again) == "conflict"


async def test_a_name_is_one_mailers_however_it_is_written(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Straße"))
    assert await refused(base, sign_up("FM-2", "STRASSE")) == "name-taken"
    assert await base.store(sign_up("FM-2", "Strasse 2")) == NEW


async def test_a_sign_on_takes_the_place_of_the_user_record(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    sign_on = signed_on("FM-1", 2)
    assert await base.store(sign_on) == NEW
    assert (await base.fetch("FM-1")).user == user_record("FM-1", "Anna", 2)
    assert await refused(base, replace(sign_on, place=bytes(15) + b"1")) == "conflict"


async def test_of_a_hundred_stores_at_a_time_each_has_its_own_outcome(base: MeterBase) -> None:
    serials = [f"FM-{number}" for number in range(20)]
    await asyncio.gather(*(base.store(sign_up(serial, serial)) for serial in serials))
    stores = [frank(serial, counter) for serial in serials for counter in (2, 3, 4)]
    # In the way of one another: another record for the same counter, the same again, and what there never was.
    stores += [frank(serial, 2, request=hash_of(serial.encode())[:16]) for serial in serials]
    stores += [frank(serial, 3) for serial in serials]
    outcomes = await asyncio.gather(*map(base.store, stores), return_exceptions=True)
    assert outcomes[:60] == [NEW] * 60
    assert [getattr(outcome, "word", outcome) for outcome in outcomes[60:80]] == ["conflict"] * 20
    assert outcomes[80:] == [AGAIN] * 20
    assert [(await base.fetch(serial)).meter for serial in serials] == [meter_record(serial, 4) for serial in serials]
    assert (base.count("transactions"), base.count("entries")) == (80, 20 * 3 + 60 * 2)


@pytest.mark.clause("M33")
async def test_of_a_hundred_that_want_the_same_counter_one_wins(base: MeterBase) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    with meter_base(base.url) as other:
        stores = [frank("FM-1", 2, request=hash_of(b"%d" % number)[:16]) for number in range(100)]
        asked = [(base, other)[number % 2].store(store) for number, store in enumerate(stores)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
    words = [getattr(outcome, "word", outcome) for outcome in outcomes]
    assert sorted(words, key=str) == [NEW, *["conflict"] * 99]
    assert (base.count("transactions"), base.count("journal"), base.count("entries")) == (2, 2, 5)


@pytest.mark.parametrize(
    "change",
    [
        {"place": bytes(15)},
        {"request_digest": bytes(31)},
        {"answer": bytes(60_000)},
        {"serial": "FM-2"},
        {"serial": ""},
        {"meter": NewRecord(b"FM-1", 1, b"no record")},
        {"meter": NewRecord(b"FM-1", 1, user_record("FM-1", "Anna"))},
        {"meter": NewRecord(b"FM-1", 1, bytes(3000))},
        {"meter": NewRecord(b"FM-1", 2, meter_record("FM-1", 2))},
        {"meter": NewRecord(b"FM-1", -1, meter_record("FM-1", 2))},
        {"meter": None},
        {"user": NewRecord(bytes(16), 1, user_record("FM-1", "Anna", 2))},
        {"user": NewRecord(account_of("FM-1"), None, user_record("FM-1", "Anna", 2))},
        {"transaction": transaction("FM-1", 3)},
        {"transaction": b"none"},
        {"transaction": bytes(40_000)},
        {"transaction": transaction("FM-1", 2, Deed.CREDIT, (b"no indicium",))},
    ],
)
async def test_what_cannot_be_found_again_is_not_stored(base: MeterBase, change: dict[str, object]) -> None:
    await base.store(sign_up("FM-1", "Anna"))
    assert await refused(base, replace(frank("FM-1", 2), **change)) == "malformed"


@pytest.mark.clause("M6", "M23")
async def test_nothing_is_stored_that_no_transaction_box_signed(base: MeterBase) -> None:
    """The database server itself warns of it: whoever asks is a function server that no honest one is."""
    await base.store(sign_up("FM-1", "Anna"))
    right = frank("FM-1", 2)
    signed = right.transaction or b""
    code = flipped(signed)
    other = mac0.authenticate(bytes(32), Label.METER_RECORD, [], mac0.unchecked_payload(meter_record("FM-1", 2)))
    labelled = sign1.sign(BOX, Label.METER_RECORD, [], sign1.unverified_payload(signed))
    for wrong in (
        replace(right, transaction=code),
        replace(right, transaction=labelled),
        replace(right, meter=NewRecord(b"FM-1", 1, other)),
    ):
        before = await base.server.fetch_warnings(peer(Kind.OPERATOR), FetchWarnings(0))
        with pytest.raises(BusRefusedError, match="tampering"):
            await base.store(wrong)
        warnings = (await base.server.fetch_warnings(peer(Kind.OPERATOR), FetchWarnings(0))).warnings
        assert [(word, serial) for _, word, serial, _, _ in warnings[len(before.warnings) :]] == [("tampering", "FM-1")]
    assert await refused(base, replace(right, transaction=None)) == "malformed"
    assert (await base.fetch("FM-1")).meter == meter_record("FM-1", 1)
    assert await base.store(right) == NEW

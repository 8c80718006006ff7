"""Ids are names of one meter: what one mailer asks under an id is in no other one's way, nor in the centre's (M33)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.database import Scan
from fob_office.centre.commands.function import Recover, Settle
from fob_office.centre.database.keeping import migrate_meters, upgrade_meters
from fob_office.centre.database.tables import JOURNAL
from fob_office.centre.following import PER_USE, REFILL, SETTLEMENT, derived_digest
from fob_office.centre.journal import place_of, sign_on_place, sign_up_place
from fob_protocol.cose import mac0
from fob_protocol.metering.answers import Franked, Loaded, SignedUp
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.log.entry import Kind as EntryKind
from fob_protocol.metering.records import MeterRecord, Refill
from fob_protocol.metering.requests import FrankRequest, LoadRequest
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from support.audits import Copy, Row, audited, copied, rows_of, trusted_of
from support.centre_database import meter_base
from support.data_centre import Cut, CutError, DataCentre
from support.mailers import Mailer
from support.meter_log import Witness
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

OPERATOR: Final = Pass(Kind.OPERATOR, "operator-1", bytes(32), bytes(32), None, 1, 1 << 40)
RequestT = TypeVar("RequestT", FrankRequest, LoadRequest)


def _under(mailer: Mailer, request_id: bytes, request: RequestT) -> RequestT:
    """The same under another id."""
    if isinstance(request, FrankRequest):
        return replace(request, request_id=request_id, presentation=mailer.presentation(request_id))
    return replace(request, request_id=request_id)


def _derived(what: str, serial: str, counter: int) -> bytes:
    return derived_digest(what, serial, counter)[:16]


async def _franks_under(mailer: Mailer, what: str, serial: str, counters: range) -> None:
    """Each with an id that follows from a record of this meter, by serial and counter as they stand on its pieces."""
    for counter in counters:
        request = _under(mailer, _derived(what, serial, counter), mailer.frank_request(1))
        await mailer.ask(request, Franked)


async def _is_sound(centre: DataCentre, warned: Sequence[tuple[str, str]] = ()) -> None:
    """By who holds the tables against the log, and by who has the log alone."""
    assert (await audited(centre)).findings.shown == []
    assert await centre.warnings() == list(warned)
    with TemporaryDirectory() as folder:
        assert Witness(Path(folder)).asks(await centre.exported()).found == []


@pytest.mark.clause("M33", "M29")
async def test_a_mailer_takes_no_settlement_from_the_centre(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        ben = Mailer(centre, server, "ben")
        await ben.sign_up(payment=Payment.POSTPAID)
        for counter, request in ((2, ben.load_request(4_000)), (3, ben.load_request(500))):
            await ben.ask(_under(ben, _derived(SETTLEMENT, ben.serial, counter), request), Loaded)
        await server.settle(OPERATOR, Settle(ben.serial))
        assert (await ben.about()).registers.owed == 0
    assert payments_of(centre, ben.serial) == (4_500, 0)
    await _is_sound(centre)


@pytest.mark.clause("M33", "M29")
@pytest.mark.parametrize("is_own", [False, True])
async def test_nobody_keeps_a_mailer_from_his_refills(centre: DataCentre, is_own: bool) -> None:
    async with centre.function_server() as (server, _):
        anna, eve = Mailer(centre, server), Mailer(centre, server, "eve")
        await anna.sign_up(refill=Refill(below=200, amount=500))
        await eve.sign_up()
        for mailer in (anna, eve):
            await mailer.load(500)
        await _franks_under(anna if is_own else eve, REFILL, anna.serial, range(2, 10))
        await anna.frank(405)
        await server.close()
        await anna.frank(420)
        assert (await anna.about()).registers.loads >= 1_000
    await _is_sound(centre)


@pytest.mark.clause("M33", "M29")
async def test_a_load_of_his_own_keeps_no_refill_from_a_mailer_who_pays_later(centre: DataCentre) -> None:
    """Both are loads, of one id: of what a mailer asks, and of what is derived."""
    async with centre.function_server() as (server, _):
        ben = Mailer(centre, server, "ben")
        await ben.sign_up(payment=Payment.POSTPAID, refill=Refill(below=200, amount=500))
        await ben.ask(_under(ben, _derived(REFILL, ben.serial, 3), ben.load_request(500)), Loaded)
        await ben.frank(405)
        await server.close()
        assert (await ben.about()).registers.loads == 1_000
    await _is_sound(centre)


@pytest.mark.clause("M33", "M29")
async def test_nobody_keeps_a_mailer_from_what_he_pays_per_use(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna, eve = Mailer(centre, server), Mailer(centre, server, "eve")
        await anna.sign_up(payment=Payment.PER_USE)
        await eve.sign_up()
        await eve.load(500)
        asked = anna.frank_request(85)
        per_use = derived_digest(PER_USE, anna.serial, [digest(asked.octets()), 1])[:16]
        await eve.ask(_under(eve, per_use, eve.frank_request(1)), Franked)
        await anna.ask(asked, Franked)
    assert payments_of(centre, anna.serial) == (85, 0)
    await _is_sound(centre)


@pytest.mark.clause("M33", "M29")
async def test_who_is_faster_than_a_refill_locks_nobodys_meter(centre: DataCentre) -> None:
    """Eve's frank is stored while Anna's card is charged."""
    async with centre.function_server() as (server, peers), centre.function_server() as (other, _):
        anna, eve = Mailer(centre, server), Mailer(centre, other, "eve")
        await anna.sign_up(refill=Refill(below=100, amount=500))
        await eve.sign_up()
        for mailer in (anna, eve):
            await mailer.load(500)
        peers.asked.clear()

        async def meets(at: int, is_answered: bool) -> None:
            if peers.asked[at] == "Charge" and is_answered:
                await _franks_under(eve, REFILL, anna.serial, range(3, 4))

        peers.meets = meets
        await anna.frank(405)
        await server.close()
        peers.meets = None
        assert (await anna.about()).registers.descending == 595
        await anna.frank(1)
        await anna.load(100)
        await anna.refund(10)
    await _is_sound(centre)


@pytest.mark.clause("M33")
async def test_an_id_is_used_by_each_mailer_for_one_request(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna, ben = Mailer(centre, server), Mailer(centre, server, "ben")
        for mailer in (anna, ben):
            await mailer.sign_up()
        asked = anna.load_request(700)
        loaded = await anna.ask(asked, Loaded)
        with pytest.raises(RefusedError, match="id-used"):
            await anna.ask(replace(asked, amount=701), Loaded)
        await ben.ask(_under(ben, asked.request_id, ben.load_request(300)), Loaded)
        assert await anna.ask(asked, Loaded) == loaded
    await _is_sound(centre)


@pytest.mark.clause("M33", "M29")
async def test_who_uses_an_id_of_what_was_charged_and_cut_off_locks_not_even_his_own_meter(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        eve = Mailer(centre, server, "eve")
        await eve.sign_up()
        await eve.load(500)
    cut = eve.load_request(300)
    async with centre.function_server() as (server, peers):
        eve.server, peers.loses = server, "Charge"
        with pytest.raises(RefusedError, match="unavailable"):
            await eve.ask(cut, Loaded)
        await eve.ask(_under(eve, cut.request_id, eve.frank_request(1)), Franked)
        # Before another one, what was taken comes onto the meter.
        assert (await eve.load(100)).registers.loads == 900
        await eve.frank(2)
        assert isinstance(await eve.ask(cut, Loaded), Loaded)
    assert payments_of(centre, eve.serial) == (900, 0)
    await _is_sound(centre, [("id-used", eve.serial)])


@pytest.mark.clause("M33", "M23")
@pytest.mark.parametrize("is_recovered", [False, True])
async def test_a_row_that_staff_write_for_what_a_meter_box_did_locks_no_meter(
    centre: DataCentre, is_recovered: bool
) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
    asked = anna.frank_request(85)
    async with centre.function_server(Cut(2, is_delivered=True)) as (server, _):
        anna.server = server
        with pytest.raises(CutError):
            await anna.ask(asked, Franked)
    place = place_of(anna.serial, asked.request_id, digest(asked.octets()))
    centre.rows("INSERT INTO journal VALUES (?, ?, ?, ?)", place, bytes(32), b"nothing", centre.now)
    async with centre.function_server() as (server, _):
        anna.server = server
        if is_recovered:
            await server.recover(OPERATOR, Recover(anna.serial))
        await anna.frank(1)
        assert (await anna.about()).registers.ascending == 86
        assert isinstance(await anna.ask(asked, Franked), Franked)
    await _is_sound(centre, [("id-used", anna.serial)])


def test_places_are_those_of_the_specification() -> None:
    """What is derived has the first octets of its H for an id; all else is of another domain."""
    request = digest(b"request")
    places = {
        place_of("FM-1", bytes(16), request),
        place_of("FM-2", bytes(16), request),
        place_of("FM-1", request[:16], request),
        place_of("FM-1", request[:16], digest(b"another")),
        sign_up_place(bytes(16)),
        sign_on_place(bytes(16)),
        bytes(16),
    }
    assert len(places) == 7
    assert {len(place) for place in places} == {16}
    said = b"\x83" + b"\x6dfob/1 request" + b"\x64FM-1" + b"\x50" + bytes(16)
    assert place_of("FM-1", bytes(16), request) == digest(said)[:16]
    derived = b"\x83" + b"\x75fob/1 derived request" + b"\x64FM-1" + b"\x50" + request[:16]
    assert place_of("FM-1", request[:16], request) == digest(derived)[:16]


@pytest.fixture(params=("sqlite", "postgresql"))
def own_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of meters that no other test has."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'own.db'}"
        (tmp_path / "own.db").touch(mode=0o600)
        migrate_meters(url)
        yield url
        return
    with request.getfixturevalue("cluster").database() as url:
        migrate_meters(url)
        yield url


def _ids(rows: dict[str, list[Row]]) -> dict[bytes, bytes]:
    """The id of each request that a transaction is of, by its H, which the meter record behind it has."""
    entries = [row["content"] for row in rows["entries"]]
    kinds = [row["kind"] for row in rows["entries"]]
    made = [number for number, kind in enumerate(kinds) if kind == EntryKind.TRANSACTION_RECORD]
    records = {number: read(MeterRecord, mac0.unchecked_payload(entries[number + 1])) for number in made}
    return {records[number].last: unverified_transaction(entries[number]).request_id for number in made}


@pytest.mark.clause("M33", "M23")
async def test_the_journal_of_an_older_version_is_upgraded(centre: DataCentre, own_url: str) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=Refill(below=200, amount=500))
        await anna.load(500)
        franked = await anna.frank(405)
        await server.close()
        piece = franked.indicia[0].indicium
        await centre.ask("database-1", Scan(anna.serial, 3, 0, piece, centre.now, id=bytes(15) + b"1"))
        anna.keep(await anna.say(anna.sign_on_request(), SignedUp))
        await anna.refund(100)
        await centre.checkpoint()
    rows, trusted = rows_of(centre), await trusted_of(centre)
    ids = _ids(rows)
    with copied(rows, trusted, own_url) as copy:
        for row in rows["journal"]:
            copy.change(JOURNAL, row, {"id": ids.get(row["request"], row["id"])})
        assert len((await copy.audited()).findings.shown) == 2 * len(ids) == 10
        copy.base.run("UPDATE alembic_version SET version_num = 'meters_0002'")
    assert upgrade_meters(own_url) == ["meters_0003"]
    with meter_base(own_url) as base:
        copy = Copy(base, trusted, rows)
        assert (await copy.audited()).findings.shown == []
        assert base.count("journal") == len(rows["journal"]) == len(ids) + 2

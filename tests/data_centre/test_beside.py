"""What a function server still does, or another one left, beside a request that is refused (M29, M33)."""

import asyncio

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.function import Recover
from fob_office.centre.function.changing import UNDER_WAY_TIME
from fob_protocol.metering.answers import Franked, Loaded, Refunded
from fob_protocol.metering.limits import REQUEST_TIME
from fob_protocol.office.errors import RefusedError
from support.data_centre import Cut, CutError, DataCentre, WatchedPeers
from support.mailers import Mailer
from support.payments import payments_of

pytestmark = pytest.mark.slow


def held_up(peers: WatchedPeers, command: str) -> tuple[asyncio.Event, asyncio.Event]:
    """The next one of these waits: the first event says that it is there, the second one lets it go."""
    is_there, may_go = asyncio.Event(), asyncio.Event()

    async def meets(at: int, is_answered: bool) -> None:
        if peers.asked[at] == command and not is_answered and not is_there.is_set():
            is_there.set()
            await may_go.wait()

    peers.asked.clear()
    peers.meets = meets
    return is_there, may_go


@pytest.mark.clause("M33", "M21")
async def test_nobody_hears_late_while_another_server_is_at_it(centre: DataCentre) -> None:
    async with centre.function_server() as (slow, peers), centre.function_server() as (other, _):
        anna = Mailer(centre, slow)
        await anna.sign_up()
        await anna.load(500)
        request = anna.frank_request(85)
        is_there, may_go = held_up(peers, "Frank")
        franking = asyncio.create_task(anna.ask(request, Franked))
        await is_there.wait()
        # The permission was given in time, and is good for a minute.
        centre.boxes.now += 59
        late = Mailer(centre, other)
        late.account, late.serial, late.key, late.signing = anna.account, anna.serial, anna.key, anna.signing
        aged = REQUEST_TIME + 1 - 59
        centre.boxes.now += aged
        with pytest.raises(RefusedError, match="unavailable"):
            await late.ask(request, Franked)
        centre.boxes.now -= aged
        may_go.set()
        made = await franking
        assert await late.ask(request, Franked) == made
        never = anna.frank_request(1)
        centre.boxes.now += UNDER_WAY_TIME + 1
        with pytest.raises(RefusedError, match="late"):
            await late.ask(never, Franked)


@pytest.mark.clause("M29", "M33")
async def test_money_comes_in_though_its_id_was_used_for_something_else(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        made = (await anna.frank(85)).indicia[0]
        load = anna.load_request(700)
        peers.asked.clear()
        peers.cut = Cut(5, is_delivered=False)
        with pytest.raises(CutError, match="FundPaid"):
            await anna.ask(load, Loaded)
        peers.cut = None
        back = anna.refund_request(unused=made)
        await anna.ask(replace(back, request_id=load.request_id), Refunded)
        centre.boxes.now += 30
        await server.completing.complete_all()
        registers = (await anna.about()).registers
        assert registers.loads == 500 + 85 + 700
        assert payments_of(centre, anna.serial) == (1_200, 0)


@pytest.mark.clause("M23", "M33")
async def test_nobody_hears_of_no_account_while_its_meter_box_knows_it(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        rows = centre.rows("SELECT * FROM meters")
        centre.rows("DELETE FROM meters")
        with pytest.raises(RefusedError, match="unavailable"):
            await anna.frank(85)
        assert await centre.warnings() == [("tampering", anna.serial)]
        centre.rows("INSERT INTO meters VALUES (?, ?, ?, ?, ?)", *rows[0])
        await anna.frank(85)
        # Of a meter that there never was nobody knows.
        anna.serial = "FM00000000026"
        with pytest.raises(RefusedError, match="no-account"):
            await anna.frank(85)


@pytest.mark.clause("M19")
async def test_a_stranger_has_no_provider_asked_and_warns_nobody(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        before = centre.rows("SELECT * FROM meters")[0]
        await anna.frank(85)
        anna.key, key = bytes(32), anna.key
        peers.asked.clear()
        with pytest.raises(RefusedError, match="not-authenticated"):
            await anna.load(100)
        assert "FetchPaid" not in peers.asked
        # With an older record put back too.
        centre.rows("UPDATE meters SET record = ?, counter = ?", before[2], before[3])
        with pytest.raises(RefusedError, match="not-authenticated"):
            await anna.about()
        assert await centre.warnings() == []
        anna.key = key
        with pytest.raises(RefusedError, match="tampering"):
            await anna.about()


@pytest.mark.clause("M27", "M29")
async def test_a_letter_whose_refund_was_refused_for_good_may_be_posted(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        made = (await anna.frank(85)).indicia[0]
        refund = anna.refund_request(unused=made)
        peers.asked.clear()
        peers.cut = Cut(4, is_delivered=False)
        with pytest.raises(CutError, match="Credit"):
            await anna.ask(refund, Refunded)
        peers.cut = None
        assert centre.rows("SELECT is_open FROM reservations") == [(1,)]
        centre.boxes.now += UNDER_WAY_TIME + 1
        with pytest.raises(RefusedError, match="late"):
            await anna.ask(refund, Refunded)
        assert centre.rows("SELECT is_open FROM reservations") == [(0,)]


@pytest.mark.clause("M23", "M33")
async def test_a_row_that_alone_was_put_back_is_not_called_recovered(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        before = centre.rows("SELECT * FROM meters")[0]
        await anna.load(500)
        await anna.frank(85)
        centre.rows("UPDATE meters SET record = ?, counter = ?, funds = ?", *before[2:])
        with pytest.raises(BusRefusedError, match="conflict"):
            await server.recover(None, Recover(anna.serial))  # type: ignore[arg-type]

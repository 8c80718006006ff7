"""An indicium is the post's or its mailer's, never both's: a scan and a credit, in any order and at once (M27, M29)."""

from functools import partial
from pathlib import Path

import pytest

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.database import Release, Reserve, Scan, Scanned
from fob_office.centre.commands.meter import Act, Credit, Made
from fob_office.centre.function.held import Request
from fob_office.centre.function.permitting import Asked, permission_of
from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.answers import Refunded
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.requests import RefundRequest, authenticated
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from support.data_centre import Cut, CutError, DataCentre, WatchedPeers
from support.mailers import Mailer
from support.meter_log import Witness

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

STEPS = ("Fetch", "Permit", "Look", "Reserve", "Credit", "Attest", "Store")


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    """Who keeps checkpoints."""
    return Witness(tmp_path)


async def _scanned(centre: DataCentre, made: Indicated, *, is_noted: bool = True) -> Scanned:
    """By the post, whose verifier asks the database server last of all."""
    indicium = read(Indicium, made.indicium)
    scan = Scan(indicium.serial, indicium.counter, indicium.piece, made.indicium, centre.now, is_noted)
    return await centre.ask("database-1", scan)


async def _franked(centre: DataCentre, server: FunctionServer, name: str = "anna") -> tuple[Mailer, Indicated]:
    mailer = Mailer(centre, server, name)
    await mailer.sign_up()
    await mailer.load(1_000)
    return mailer, (await mailer.frank(85)).indicia[0]


async def _is_refused(mailer: Mailer, made: Indicated) -> None:
    with pytest.raises(RefusedError, match="no-refund"):
        await mailer.refund(unused=made)


@pytest.mark.clause("M27", "M29")
async def test_what_the_post_has_seen_is_not_given_back(centre: DataCentre, witness: Witness) -> None:
    async with centre.function_server() as (server, peers):
        anna, made = await _franked(centre, server)
        assert await _scanned(centre, made, is_noted=False) == Scanned(True, False, 0)
        assert await _scanned(centre, made) == Scanned(True, False, 0)
        peers.asked.clear()
        await _is_refused(anna, made)
        # The meter box was not asked for it; only whether it had done it before.
        assert peers.asked == [*STEPS[:4], "LastChange", "Fetch", "Release"]
        assert (await anna.about()).registers.descending == 915
        assert await _scanned(centre, made) == Scanned(True, False, 1)
        assert await centre.warnings() == []
        assert witness.asks(await centre.exported()).status == 0


@pytest.mark.clause("M27", "M29")
async def test_what_was_given_back_is_refunded_at_the_post(centre: DataCentre, witness: Witness) -> None:
    async with centre.function_server() as (server, _):
        anna, made = await _franked(centre, server)
        assert (await anna.refund(unused=made)).registers.descending == 1_000
        assert await _scanned(centre, made) == Scanned(True, True, 0)
        await _is_refused(anna, made)
        assert witness.asks(await centre.exported()).status == 0


@pytest.mark.clause("M27", "M29", "M33")
async def test_of_a_scan_and_a_refund_at_once_exactly_one_wins(centre: DataCentre, witness: Witness) -> None:
    for step in range(len(STEPS)):
        async with centre.function_server() as (server, peers):
            anna, made = await _franked(centre, server, f"anna {step}")
            peers.asked.clear()
            scans: list[Scanned] = []
            peers.meets = partial(_scan_at, step, scans, centre, made)
            is_taken_by_the_post = step <= STEPS.index("Reserve")
            if is_taken_by_the_post:
                await _is_refused(anna, made)
            else:
                assert (await anna.refund(unused=made)).registers.descending == 1_000
            (scanned,) = scans
            assert (scanned.given_back or scanned.is_reserved) is not is_taken_by_the_post
    assert witness.asks(await centre.exported()).status == 0
    assert await centre.warnings() == []


async def _scan_at(
    step: int, scans: list[Scanned], centre: DataCentre, made: Indicated, at: int, is_answered: bool
) -> None:
    if at == step and not is_answered:
        scans.append(await _scanned(centre, made))


@pytest.mark.clause("M27", "M29", "M33")
async def test_cut_at_each_message_a_scan_and_a_refund_are_never_both(centre: DataCentre, witness: Witness) -> None:
    for step in range(len(STEPS)):
        async with centre.function_server() as (server, _):
            anna, made = await _franked(centre, server, f"anna {step}")
            request = anna.refund_request(unused=made)
        async with centre.function_server(Cut(step, is_delivered=True)) as (server, _):
            anna.server = server
            with pytest.raises(CutError, match=STEPS[step]):
                await anna.ask(request, Refunded)
        scanned = await _scanned(centre, made)
        assert (scanned.given_back or scanned.is_reserved) is (step >= STEPS.index("Reserve"))
        async with centre.function_server() as (server, _):
            anna.server = server
            if scanned.given_back or scanned.is_reserved:
                assert (await anna.ask(request, Refunded)).registers.descending == 1_000
            else:
                with pytest.raises(RefusedError, match="no-refund"):
                    await anna.ask(request, Refunded)
                assert (await anna.about()).registers.descending == 915
    assert witness.asks(await centre.exported()).status == 0


@pytest.mark.clause("M29")
async def test_what_its_meter_box_refuses_is_the_posts_again(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna, made = await _franked(centre, server)
        await anna.refund(unused=made)
        ben = Mailer(centre, server, "ben")
        await ben.sign_up()
        await ben.load(100)
        (other,) = (await ben.frank(85)).indicia
        # Nobody reserves what another meter made, or what nobody did.
        peers.asked.clear()
        await _is_refused(anna, other)
        await _is_refused(ben, Indicated(other.indicium, bytes(16)))
        assert "Reserve" not in peers.asked
        request = bytes(range(16))
        await peers.any(Kind.DATABASE, Reserve(request, other.indicium, centre.now))
        await peers.any(Kind.DATABASE, Reserve(request, other.indicium, centre.now))
        await peers.any(Kind.DATABASE, Reserve(bytes(16), other.indicium, centre.now))
        await peers.any(Kind.DATABASE, Release(request, other.indicium, centre.now))
        assert (await _scanned(centre, other)).is_reserved
        await peers.any(Kind.DATABASE, Release(bytes(16), other.indicium, centre.now))
        assert await _scanned(centre, other) == Scanned(True, False, 0)
        with pytest.raises(BusRefusedError, match="no-refund"):
            await peers.any(Kind.DATABASE, Reserve(request, other.indicium, centre.now))


@pytest.mark.clause("M23", "M27", "M29")
async def test_a_server_that_does_not_ask_first_is_found(centre: DataCentre, witness: Witness) -> None:
    async with centre.function_server() as (server, peers):
        anna, made = await _franked(centre, server)
        await _scanned(centre, made)
        await _without_asking(server, peers, anna, anna.refund_request(unused=made), made)
        assert await centre.warnings() == [("no-refund", anna.serial)]
        assert [word for _, word in witness.asks(await centre.exported()).found] == ["unlawful"]


async def _without_asking(
    server: FunctionServer, peers: WatchedPeers, mailer: Mailer, request: RefundRequest, made: Indicated
) -> None:
    asked = Asked(
        request,
        authenticated(mailer.key, request),
        Request(request.request_id, digest(request.octets()), request.serial),
    )
    changing = server.refunding.changing
    held = await changing.look(mailer.serial)
    permission = await permission_of(peers, held, asked)
    act = Act(asked.request.digest, asked.request.id, None)
    unused = Made(made.indicium, made.token)
    await changing.finish(await peers.owner(mailer.serial, Credit(held.meter, permission, unused, act)))

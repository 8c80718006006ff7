"""A clock that was ahead for a moment locks nobody out, and somebody hears of it (M11, M29, M33)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.function import CarryOut, Recover
from fob_office.centre.commands.steel import OrderKey
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.operating import meters
from fob_protocol.metering.answers import Franked, SignedUp
from fob_protocol.metering.kinds import Deed
from fob_protocol.office.errors import RefusedError
from support.audits import audited
from support.data_centre import LIMITS, Cut, CutError, DataCentre, WatchedPeers
from support.mailers import Mailer, Witness
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

ANY: Any = None
DAY = 86_400


class _Operator:
    """An Operator, with a function server of the test."""

    def __init__(self, centre: DataCentre, server: FunctionServer, peers: WatchedPeers) -> None:
        self._centre = centre
        self._server = server
        self.peers = peers
        self.links = centre.boxes.open("operator-1").links
        self.centre, self.manufacturing = centre.folder, centre.boxes.manufacturing_key

    def now(self) -> int:
        return self._centre.now

    async def any(self, kind: Kind, command: Command[Any]) -> Any:
        match command:
            case Recover():
                return await self._server.recover(ANY, command)
            case CarryOut():
                return await self._server.carry_out(ANY, command)
        return await self._centre.ask(f"{kind.word}-1", command)

    async def one(self, name: str, command: Command[Any]) -> Any:
        return await self._centre.ask(name, command)


@pytest.mark.clause("M11", "M21", "M29", "M33")
async def test_a_meter_goes_on_that_was_used_while_a_clock_was_ahead(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        witness = Witness(anna, await anna.sign_up())
        await witness.look()
        await anna.load(1_000)
        centre.boxes.now += 200 * DAY
        await witness.do(anna.frank_request(85), Franked)
        centre.boxes.now -= 200 * DAY
        assert (await anna.frank(1)).registers.descending == 914
        assert (await anna.about()).registers.descending == 914
        assert (await anna.refund(10)).registers.descending == 904
        assert (await anna.load(100)).registers.descending == 1_004
        await server.refunding._pay_all()
        assert payments_of(centre, anna.serial) == (1_100, 10)
        # No crime, and said once, with what was wrong.
        assert await centre.warnings() == [("clock", anna.serial)]
        [(why,)] = centre.rows("SELECT why FROM warnings")
        assert f"a record of {anna.serial}" in why
        assert why.endswith(f"signed for {datetime.fromtimestamp(centre.now + 200 * DAY, UTC):%Y-%m}")
        assert (await audited(centre)).findings.count == 0


@pytest.mark.clause("M33", "M6")
async def test_what_was_cut_off_while_a_clock_was_ahead_is_ended_when_it_is_right(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        centre.boxes.now += 200 * DAY
        request = anna.frank_request(85)
        # The meter box has done it, and nobody has signed for it.
        peers.cut, peers.asked[:] = Cut(2, is_delivered=True), []
        with pytest.raises(CutError):
            await anna.ask(request, Franked)
        peers.cut = None
        centre.boxes.now -= 200 * DAY
        assert (await anna.frank(10)).registers.descending == 905
        assert (await audited(centre)).findings.count == 0


@pytest.mark.clause("M11", "M14")
async def test_a_mailer_who_signed_on_while_a_clock_was_ahead_signs_on_again(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        centre.boxes.now += 200 * DAY
        anna.keep(await anna.say(anna.sign_on_request(), SignedUp))
        centre.boxes.now -= 200 * DAY
        await anna.frank(85)
        assert await centre.warnings() == [("clock", anna.serial)]
        anna.keep(await anna.say(anna.sign_on_request(), SignedUp))
        assert (await anna.frank(85)).registers.descending == 830


@pytest.mark.clause("M31", "M29")
async def test_a_day_that_a_clock_began_too_early_is_ended_by_an_operator(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(2 * LIMITS.daily)
        centre.boxes.now += 10 * DAY
        await anna.frank(*[LIMITS.piece] * 10)
        last = f"{datetime.fromtimestamp(centre.now, UTC):%Y-%m-%d}"
        centre.boxes.now -= 9 * DAY
        with pytest.raises(RefusedError, match="over-limit") as refused:
            await anna.frank(1)
        assert refused.value.said.endswith(f"all days until {last} are one")
        operator: Any = _Operator(centre, server, peers)
        # The same limits, said again: what was spent counts for today.
        limits = await meters.limits_of(operator, anna.serial)
        assert await meters.order(operator, anna.serial, Deed.CHANGE, limits)
        with pytest.raises(RefusedError, match="over-limit") as refused:
            await anna.frank(1)
        assert refused.value.said.endswith("for a day")
        limits = await meters.limits_of(operator, anna.serial)
        assert (limits.spent, limits.day) == (LIMITS.daily, centre.now // DAY)
        assert not await meters.order(operator, anna.serial, Deed.CHANGE, limits)
        centre.boxes.now += DAY
        await anna.frank(1)


@pytest.mark.clause("M31", "M33")
async def test_recover_says_what_it_changed_and_what_it_could_not(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        operator: Any = _Operator(centre, server, peers)
        assert await meters.recover(operator, anna.serial) == meters.Recovered(is_changed=False, signs_on=False)
        [(record,)] = centre.rows("SELECT record FROM meters")
        peers.cut, peers.asked[:] = Cut(2, is_delivered=True), []
        with pytest.raises(CutError):
            await anna.frank(85)
        peers.cut = None
        assert await meters.recover(operator, anna.serial) == meters.Recovered(is_changed=True, signs_on=False)
        assert centre.rows("SELECT record FROM meters") != [(record,)]
        # Where the box refuses what it knows itself, nothing was recovered.
        peers.meets = _refuses(peers)
        with pytest.raises(BusRefusedError, match="tampering"):
            await meters.recover(operator, anna.serial)


def _refuses(peers: WatchedPeers) -> Any:
    """A meter box that takes nothing for its newest record."""

    async def meets(at: int, answered: bool) -> None:
        if peers.asked[at] == "Look" and answered:
            raise BusRefusedError("tampering", "it is not")

    return meets


@pytest.mark.clause("M11")
async def test_a_key_order_of_a_day_to_come_is_carried_out(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        counter = (await anna.about()).registers.counter
        centre.boxes.now += 200 * DAY
        order = (await centre.ask("steel-1", OrderKey(Deed.STOP, anna.serial, counter, None))).order
        centre.boxes.now -= 200 * DAY
        await server.carry_out(ANY, CarryOut(order))
        with pytest.raises(RefusedError, match="stopped"):
            await anna.frank(1)

"""A device forgets what is refused: so nothing is refused for good that was done, or that money was taken for (M33)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from msgspec.structs import replace

from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.commands.function import Recover
from fob_office.centre.commands.meter import LastChange
from fob_office.centre.commands.payment import FetchPaid
from fob_office.centre.function.server import FunctionServer
from fob_protocol.metering.answers import Franked, Loaded, Refunded, SignedUp
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.limits import REQUEST_TIME
from fob_protocol.metering.requests import Ask, Authenticated, SignUp, authenticated
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message
from support.audits import audited
from support.data_centre import CutError, DataCentre, WatchedPeers
from support.mailers import Mailer, Witness
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

DAY: Final = 86_400
OPERATOR: Final = Pass(Kind.OPERATOR, "operator-1", bytes(32), bytes(32), None, 1, 1 << 40)
Served = tuple[FunctionServer, WatchedPeers]


@asynccontextmanager
async def _served(centre: DataCentre, *mailers: Mailer) -> AsyncIterator[Served]:
    """By a new function server, which remembers nothing."""
    async with centre.function_server() as (server, peers):
        for mailer in mailers:
            mailer.server = server
        yield server, peers


async def _cut_behind(
    centre: DataCentre, mailer: Mailer, command: str, said: SignUp | Ask, answer: type[Message]
) -> None:
    """Others did it, and the function server dies before it hears so."""
    async with _served(centre, mailer) as (_, peers):

        async def meets(at: int, is_answered: bool) -> None:
            if peers.asked[at] == command and is_answered:
                raise CutError(command)

        peers.meets = meets
        with pytest.raises(CutError):
            await mailer.say(said, answer)


def _said(mailer: Mailer, request: Authenticated) -> Ask:
    return Ask(authenticated(mailer.key, request))


async def _begun(centre: DataCentre, **how: Any) -> Mailer:
    async with _served(centre) as (server, _):
        mailer = Mailer(centre, server)
        await mailer.sign_up(**how)
        await mailer.load(1_000)
        return mailer


async def _is_sound(centre: DataCentre) -> None:
    assert (await audited(centre)).findings.shown == []
    assert await centre.warnings() == []


@pytest.mark.clause("M33", "X5")
async def test_a_frank_that_was_done_is_answered_when_its_ticket_is_over(centre: DataCentre) -> None:
    mailer = await _begun(centre)
    async with _served(centre, mailer):
        device = Witness(mailer, SignedUp(mailer.account, mailer.serial, b"", (await mailer.about()).registers))
        await device.look()
    asked = mailer.frank_request(85)
    await _cut_behind(centre, mailer, "Frank", _said(mailer, asked), Franked)
    centre.boxes.now += DAY + 61
    async with _served(centre, mailer) as (_, peers):
        franked = await device.do(asked, Franked)
        assert peers.asked == ["Fetch", "LastChange", "Fetch", "Attest", "Store"]
        assert await mailer.ask(asked, Franked) == franked
        assert (await device.look()).registers.ascending == 85
        # One that was not done is refused.
        late = replace(mailer.frank_request(85), presentation=asked.presentation)
        peers.asked.clear()
        with pytest.raises(RefusedError, match="not-validated"):
            await mailer.ask(late, Franked)
        assert peers.asked == ["Fetch", "LastChange", "Fetch"]
    await _is_sound(centre)


Prepare = Callable[[Mailer], Awaitable[Authenticated]]


async def _frank(mailer: Mailer) -> Authenticated:
    return mailer.frank_request(85)


async def _load(mailer: Mailer) -> Authenticated:
    return mailer.load_request(700)


async def _refund(mailer: Mailer) -> Authenticated:
    return mailer.refund_request(400)


async def _credit(mailer: Mailer) -> Authenticated:
    return mailer.refund_request(unused=(await mailer.frank(85)).indicia[0])


CHANGES: Final[dict[str, tuple[Prepare, type[Message]]]] = {
    "Frank": (_frank, Franked), "Load": (_load, Loaded), "Refund": (_refund, Refunded), "Credit": (_credit, Refunded),
}  # fmt: skip


async def _signed_on_elsewhere(centre: DataCentre, mailer: Mailer) -> None:
    async with _served(centre) as (server, _):
        other = Mailer(centre, server)
        other.keep(await other.say(other.sign_on_request(), SignedUp))


async def _too_late(centre: DataCentre, mailer: Mailer) -> None:
    centre.boxes.now += max(DAY, REQUEST_TIME) + 61


@pytest.mark.clause("M33", "M29")
@pytest.mark.parametrize("command", CHANGES)
@pytest.mark.parametrize("happens", [_signed_on_elsewhere, _too_late])
async def test_what_the_meter_box_did_is_answered_whatever_happened_since(
    centre: DataCentre, command: str, happens: Callable[[DataCentre, Mailer], Awaitable[None]]
) -> None:
    """Somebody else's device has the account, or the request is too old: neither undoes what was done."""
    mailer = await _begun(centre)
    prepare, answer = CHANGES[command]
    async with _served(centre, mailer):
        asked = await prepare(mailer)
    said = _said(mailer, asked)
    await _cut_behind(centre, mailer, command, said, answer)
    await happens(centre, mailer)
    async with _served(centre, mailer):
        done = await mailer.say(said, answer)
        assert await mailer.say(said, answer) == done
    await _is_sound(centre)


@pytest.mark.clause("M33", "M29")
@pytest.mark.parametrize("happens", [_signed_on_elsewhere, _too_late])
@pytest.mark.parametrize("command", ["Charge", "FundPaid"])
async def test_a_load_that_was_charged_comes_in_whatever_happened_since(
    centre: DataCentre, command: str, happens: Callable[[DataCentre, Mailer], Awaitable[None]]
) -> None:
    mailer = await _begun(centre)
    said = _said(mailer, mailer.load_request(700))
    await _cut_behind(centre, mailer, command, said, Loaded)
    assert payments_of(centre, mailer.serial) == (1_700, 0)
    await happens(centre, mailer)
    centre.deposit = 2_000
    async with _served(centre, mailer) as (server, _):
        loaded = await mailer.say(said, Loaded)
        assert loaded.registers.loads == 1_700
        await server.completing.complete_all()
        assert await mailer.say(said, Loaded) == loaded
    assert payments_of(centre, mailer.serial) == (1_700, 0)
    await _is_sound(centre)


@pytest.mark.clause("M33", "M29")
async def test_a_load_is_answered_when_the_least_deposit_was_raised(centre: DataCentre) -> None:
    mailer = await _begun(centre)
    asked = mailer.load_request(700)
    async with _served(centre, mailer):
        loaded = await mailer.ask(asked, Loaded)
    centre.deposit = 2_000
    async with _served(centre, mailer) as (_, peers):
        assert await mailer.ask(asked, Loaded) == loaded
        assert peers.asked == ["Fetch"]
        peers.asked.clear()
        with pytest.raises(RefusedError, match="payment-refused"):
            await mailer.load(700)
        assert peers.asked == ["Fetch", "LastChange", "Fetch", "FetchPaid"]
    assert payments_of(centre, mailer.serial) == (1_700, 0)


@pytest.mark.clause("M33", "M29")
async def test_while_nobody_can_say_whether_it_was_done_it_is_not_refused_for_good(centre: DataCentre) -> None:
    mailer = await _begun(centre)
    said = _said(mailer, mailer.load_request(700))
    await _cut_behind(centre, mailer, "Charge", said, Loaded)
    centre.boxes.now += REQUEST_TIME + 1
    async with _served(centre, mailer) as (_, peers):
        for loses in (FetchPaid, LastChange):
            peers.loses = loses.__name__
            with pytest.raises(RefusedError, match="unavailable"):
                await mailer.say(said, Loaded)
        assert (await mailer.say(said, Loaded)).registers.loads == 1_700
    await _is_sound(centre)


@pytest.mark.clause("M33", "M29")
async def test_a_load_that_is_owed_asks_no_payment_provider(centre: DataCentre) -> None:
    mailer = await _begun(centre, payment=Payment.POSTPAID)
    async with _served(centre, mailer) as (_, peers):
        with pytest.raises(RefusedError, match="over-limit"):
            await mailer.load(9_000)
        assert "FetchPaid" not in peers.asked


@pytest.mark.clause("M33", "M22")
async def test_what_was_done_is_answered_where_staff_spoil_the_record_before(centre: DataCentre) -> None:
    mailer = await _begun(centre)
    asked = mailer.frank_request(85)
    await _cut_behind(centre, mailer, "Frank", _said(mailer, asked), Franked)
    centre.rows("UPDATE meters SET record = x'00' WHERE serial = ?", mailer.serial)
    async with _served(centre, mailer):
        assert (await mailer.ask(asked, Franked)).registers.ascending == 85
        assert (await mailer.frank(1)).registers.ascending == 86
    await _is_sound(centre)


@pytest.mark.clause("M33", "M22")
async def test_what_was_done_and_cannot_be_stored_is_not_refused_for_good(centre: DataCentre) -> None:
    """Staff put back an old record meanwhile: the centre is warned, once, and an operator recovers the meter."""
    mailer = await _begun(centre)
    ((record, counter),) = centre.rows("SELECT record, counter FROM meters")
    async with _served(centre, mailer):
        await mailer.frank(1)
    asked = mailer.frank_request(85)
    await _cut_behind(centre, mailer, "Frank", _said(mailer, asked), Franked)
    centre.rows("UPDATE meters SET record = ?, counter = ?", record, counter)
    async with _served(centre, mailer) as (server, _):
        for _ in range(3):
            with pytest.raises(RefusedError, match="unavailable"):
                await mailer.ask(asked, Franked)
        assert await centre.warnings() == [("tampering", mailer.serial)]
        # What was not done is refused, with the word for it.
        with pytest.raises(RefusedError, match="tampering"):
            await mailer.frank(1)
        await server.recover(OPERATOR, Recover(mailer.serial))
        assert (await mailer.ask(asked, Franked)).registers.ascending == 86
        # Found again, it is said again.
        before = await centre.warnings()
        again = mailer.frank_request(1)
        await mailer.ask(again, Franked)
        centre.rows("DELETE FROM journal WHERE request = ?", digest(again.octets()))
        centre.rows("UPDATE meters SET record = ?, counter = ?", record, counter)
        for _ in range(3):
            with pytest.raises(RefusedError, match="unavailable"):
                await mailer.ask(again, Franked)
        assert (await centre.warnings())[len(before) :] == [("tampering", mailer.serial)]


@pytest.mark.clause("M33", "M30", "X5")
async def test_a_sign_up_that_was_stored_is_answered_when_ticket_and_terms_are_over(centre: DataCentre) -> None:
    async with _served(centre) as (server, _):
        mailer = Mailer(centre, server)
        asked = mailer.sign_up_request()
        signed_up = await mailer.say(asked, SignedUp)
    centre.boxes.now += DAY + 61
    centre.fee = 300
    async with _served(centre, mailer) as (_, peers):
        assert await mailer.say(asked, SignedUp) == signed_up
        assert peers.asked == ["FindMailer"]


@pytest.mark.clause("M33", "M30", "X5")
async def test_a_sign_up_whose_meter_was_only_begun_is_nothing_and_its_name_is_free(centre: DataCentre) -> None:
    """No money was on that meter, and no other device knows of it: the person signs up anew."""
    async with _served(centre) as (server, _):
        mailer = Mailer(centre, server)
        asked = mailer.sign_up_request()
    await _cut_behind(centre, mailer, "Begin", asked, SignedUp)
    centre.boxes.now += DAY + 61
    async with _served(centre, mailer):
        with pytest.raises(RefusedError, match="not-validated"):
            await mailer.say(asked, SignedUp)
        await mailer.sign_up()
        await mailer.load(500)
        assert (await mailer.frank(85)).registers.descending == 415
    await _is_sound(centre)


@pytest.mark.clause("M33", "M14")
async def test_a_sign_on_that_another_server_has_done_meanwhile_is_answered(centre: DataCentre) -> None:
    """The slower one shows an authentication box the record before: that is nobody's tampering."""
    mailer = await _begun(centre)
    async with _served(centre, mailer) as (_, peers), centre.function_server() as (other, _):
        device, again = Mailer(centre, mailer.server), Mailer(centre, other)
        asked = device.sign_on_request()
        answers: list[SignedUp] = []

        async def meets(at: int, is_answered: bool) -> None:
            if peers.asked[at] == "SignOn" and not is_answered:
                answers.append(await again.say(asked, SignedUp))

        peers.asked.clear()
        peers.meets = meets
        assert [await device.say(asked, SignedUp)] == answers
        device.keep(answers[0])
        await device.frank(85)
    await _is_sound(centre)

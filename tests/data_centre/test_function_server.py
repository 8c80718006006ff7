"""A mailer's day, with every process of a data centre real (M14, M17 to M20, M24, M28 to M32; X5, X6, X8)."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.function import CarryOut, Settle
from fob_office.centre.commands.steel import OrderKey, SetNewMeters
from fob_office.centre.function.changing import UNDER_WAY_TIME
from fob_office.centre.function.server import FunctionServer
from fob_office.centre.payment.ledger import Terms, open_ledger, set_card
from fob_office.centre.payment.process import FILE
from fob_protocol.cose import hpke
from fob_protocol.cose.errors import SealError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.answers import Franked, Loaded, Refunded, SignedUp
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed, MeterState, Payment
from fob_protocol.metering.limits import BATCH_LIMIT, HISTORY_LIMIT
from fob_protocol.metering.records import Limits, Refill
from fob_protocol.metering.requests import Ask, authenticated
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from fob_protocol.office.refusals import Refusal
from support.data_centre import ENERGY, LIMITS, VALUE_KIND, DataCentre
from support.mailers import Mailer, Witness
from support.payments import payments_of

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow

OPERATOR: Any = None
MAIL_CLASS = "large-letter-registered"


async def _refused(asking: Coroutine[Any, Any, Any]) -> tuple[Refusal, str]:
    """By which word, and the clause that stands in the log with it (X8)."""
    with capture_logs() as logged, pytest.raises(RefusedError) as refused:
        await asking
    clauses = [line["clause"] for line in logged if line["event"] == "refused"]
    assert len(clauses) == 1
    return refused.value.refusal, clauses[0]


async def _ordered(centre: DataCentre, server: FunctionServer, mailer: Mailer, deed: Deed, **limits: Limits) -> None:
    """An operator's word, by the steel box and the function server (M31)."""
    counter = (await mailer.about()).registers.counter
    octets = limits["limits"].octets() if limits else None
    order = await centre.ask("steel-1", OrderKey(deed, mailer.serial, counter, octets))
    await server.carry_out(OPERATOR, CarryOut(order.order))


@pytest.mark.clause("M17", "M18", "M30", "M25")
async def test_a_mailer_signs_up_loads_and_franks_batches_in_one_connection(centre: DataCentre) -> None:
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        await anna.sign_up()
        loaded = await anna.load(1_000)
        assert (loaded.registers.ascending, loaded.registers.descending) == (0, 1_000)
        peers.asked.clear()
        franked = await anna.frank(85, 100, 160)
        # The mailer is authenticated before the meter box hears of it; it is stored before it is answered.
        assert peers.asked == ["Fetch", "Permit", "Frank", "Attest", "Store"]
        indicia = [read(Indicium, made.indicium) for made in franked.indicia]
        assert [(one.amount, one.piece, one.ascending) for one in indicia] == [
            (85, 0, 85),
            (100, 1, 185),
            (160, 2, 345),
        ]
        assert (franked.registers.ascending, franked.registers.descending, franked.registers.pieces) == (345, 655, 3)
        again = await anna.frank(*[1] * 64)
        assert (len(again.indicia), again.registers.descending) == (64, 591)


@pytest.mark.clause("M24")
async def test_a_meter_franks_down_to_exact_zero_and_not_a_cent_more(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(185)
        with pytest.raises(RefusedError, match="insufficient-funds"):
            await anna.frank(100, 86)
        assert (await anna.frank(85)).registers.descending == 100
        assert (await anna.frank(100)).registers.descending == 0
        refused = await _refused(anna.frank(1))
        assert refused == (Refusal.INSUFFICIENT_FUNDS, "M24")
        registers = (await anna.about()).registers
        assert (registers.ascending, registers.descending, registers.loads, registers.pieces) == (185, 0, 185, 2)


@pytest.mark.clause("M28")
async def test_the_centre_says_where_a_piece_comes_from(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        request = anna.frank_request(85, 85)
        request = replace(request, pieces=(request.pieces[0], replace(request.pieces[1], origin="20095")))
        franked = await anna.ask(request, Franked)
        assert [read(Indicium, made.indicium).origin for made in franked.indicia] == ["10115", "20095"]
        request = anna.frank_request(85)
        request = replace(request, pieces=(replace(request.pieces[0], origin="99999"),))
        assert await _refused(anna.ask(request, Franked)) == (Refusal.WRONG_ORIGIN, "M28")


@pytest.mark.clause("M29")
async def test_money_comes_before_after_and_with_each_piece_and_goes_back(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna, ben, cleo = (Mailer(centre, server, name) for name in ("anna", "ben", "cleo"))
        await anna.sign_up()
        await anna.load(1_000)
        franked = await anna.frank(85)
        assert (await anna.refund(400)).registers.descending == 515
        assert (await anna.refund(unused=franked.indicia[0])).registers.descending == 600
        assert await _refused(anna.refund(unused=franked.indicia[0])) == (Refusal.NO_REFUND, "M29")
        with pytest.raises(RefusedError) as refused:
            await anna.refund(unused=franked.indicia[0])
        assert refused.value.said == "it was given back before"
        await server.refunding._pay_all()
        assert payments_of(centre, anna.serial) == (1_000, 400)

        await ben.sign_up(payment=Payment.POSTPAID)
        await ben.load(LIMITS.credit)
        assert await _refused(ben.load(1)) == (Refusal.OVER_LIMIT, "M29")
        await ben.frank(85)
        # What was never paid is not given back.
        assert await _refused(ben.refund(1)) == (Refusal.INSUFFICIENT_FUNDS, "M24")
        assert payments_of(centre, ben.serial) == (0, 0)
        await server.settle(OPERATOR, Settle(ben.serial))
        await server.settle(OPERATOR, Settle(ben.serial))
        assert payments_of(centre, ben.serial) == (LIMITS.credit, 0)
        about = await ben.about()
        assert (about.registers.owed, about.registers.loads) == (0, LIMITS.credit)

        await cleo.sign_up(payment=Payment.PER_USE)
        await cleo.frank(85, 100)
        await cleo.frank(30)
        assert payments_of(centre, cleo.serial) == (215, 0)
        assert (await cleo.about()).registers.descending == 0


@pytest.mark.clause("M29")
async def test_an_account_under_its_level_is_refilled_by_itself(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up(refill=Refill(below=100, amount=500))
        # Nothing is there: it is refilled before the frank.
        assert (await anna.frank(450)).registers.descending == 50
        # It fell under the level: it is refilled afterwards, and nobody waits.
        await server.close()
        about = await anna.about()
        assert (about.registers.descending, about.registers.ascending) == (550, 450)
        assert (await anna.frank(100)).registers.descending == 450
        await server.close()
        assert payments_of(centre, anna.serial) == (1_000, 0)


@pytest.mark.clause("M29", "M30")
@pytest.mark.parametrize("payment", list(Payment))
async def test_a_rule_that_refills_less_than_the_least_deposit_is_refused(centre: DataCentre, payment: Payment) -> None:
    centre.deposit = 500
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        with pytest.raises(RefusedError) as refused:
            await anna.sign_up(payment=payment, refill=Refill(below=500, amount=499))
        assert refused.value.refusal is Refusal.PAYMENT_REFUSED
        assert refused.value.said == "a refill of EUR 4.99; at least EUR 5.00 at once"
        assert "Begin" not in peers.asked
        await anna.sign_up(payment=payment, refill=Refill(below=500, amount=500))


@pytest.mark.clause("M29")
@pytest.mark.parametrize("payment", [Payment.PREPAID, Payment.POSTPAID])
async def test_a_rule_from_before_a_higher_deposit_is_not_carried_out(centre: DataCentre, payment: Payment) -> None:
    """Less is not loaded, and more nobody has permitted: the mailer loads himself."""
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up(payment=payment, refill=Refill(below=100, amount=300))
        await anna.load(150)
    centre.deposit = 500
    async with centre.function_server() as (server, _):
        anna.server = server
        # Under its level now: nothing comes behind it.
        await anna.frank(85)
        await server.close()
        assert (await anna.about()).registers.loads == 150
        with pytest.raises(RefusedError) as refused:
            await anna.frank(85)
        assert refused.value.refusal is Refusal.INSUFFICIENT_FUNDS
        assert refused.value.said == "no refill of EUR 3.00: at least EUR 5.00 at once"
        assert (await anna.about()).registers.loads == 150
        await anna.load(500)
        await anna.frank(85)
        await server.close()
        assert payments_of(centre, anna.serial) == ((650, 0) if payment == Payment.PREPAID else (0, 0))


@pytest.mark.clause("M14", "M19")
async def test_a_new_device_gets_a_new_key_and_the_old_one_is_refused(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        old, new = Mailer(centre, server), Mailer(centre, server)
        await old.sign_up()
        await old.load(500)
        answer = new.keep(await new.say(new.sign_on_request(), SignedUp))
        assert (answer.account, answer.serial, answer.registers.descending) == (old.account, old.serial, 500)
        assert (await new.frank(85)).registers.descending == 415
        assert await _refused(old.frank(85)) == (Refusal.NOT_AUTHENTICATED, "M19")
        assert await _refused(old.about()) == (Refusal.NOT_AUTHENTICATED, "M19")
        # The key is sealed to the new device alone.
        with pytest.raises(SealError):
            hpke.unseal_with(old.sealing, Label.USER_AUTHENTICATION_KEY, [answer.account], answer.key)
        # The old device signs on with the password: now the new one is over.
        old.keep(await old.say(old.sign_on_request(), SignedUp))
        await old.frank(15)
        assert await _refused(new.frank(85)) == (Refusal.NOT_AUTHENTICATED, "M19")


@pytest.mark.clause("M31")
async def test_an_operator_stops_resumes_and_withdraws_a_meter(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(1_000)
        await _ordered(centre, server, anna, Deed.STOP)
        assert await _refused(anna.frank(85)) == (Refusal.STOPPED, "M31")
        assert await _refused(anna.refund(85)) == (Refusal.STOPPED, "M31")
        assert await _refused(anna.load(100)) == (Refusal.STOPPED, "M31")
        await _ordered(centre, server, anna, Deed.RESUME)
        await anna.frank(85)
        await _ordered(centre, server, anna, Deed.CHANGE, limits=replace(LIMITS, piece=50))
        assert await _refused(anna.frank(85)) == (Refusal.OVER_LIMIT, "M29")
        # An order is for one record: it is not obeyed again.
        counter = (await anna.about()).registers.counter
        order = (await centre.ask("steel-1", OrderKey(Deed.WITHDRAW, anna.serial, counter, None))).order
        await server.carry_out(OPERATOR, CarryOut(order))
        await server.carry_out(OPERATOR, CarryOut(order))
        assert await _refused(anna.load(85)) == (Refusal.STOPPED, "M31")
        about = await anna.about()
        assert (about.state, about.registers.counter) == (MeterState.WITHDRAWN, counter + 1)
        assert (await anna.refund(915)).registers.descending == 0
        with pytest.raises(BusRefusedError, match="stale"):
            await server.carry_out(OPERATOR, CarryOut(await _other_order(centre, anna)))


async def _other_order(centre: DataCentre, mailer: Mailer) -> bytes:
    return (await centre.ask("steel-1", OrderKey(Deed.STOP, mailer.serial, 1, None))).order


@pytest.mark.clause("M32")
async def test_energy_is_metered_as_postage_is(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        plant = Mailer(centre, server, "plant", ENERGY)
        await plant.sign_up()
        await plant.load(5_000)
        franked = await plant.frank(1_250)
        indicium = read(Indicium, franked.indicia[0].indicium)
        assert (indicium.value_kind, indicium.amount, franked.registers.descending) == (ENERGY, 1_250, 3_750)
        # Software for postage computes no energy.
        other = Mailer(centre, server, "anna")
        other.key, other.account, other.serial, other.signing = plant.key, plant.account, plant.serial, plant.signing
        assert await _refused(other.frank(1)) == (Refusal.NOT_VALIDATED, "X5")
        # Which of his components that was is no secret to him, and no newer ticket helps.
        with pytest.raises(RefusedError) as refused:
            await other.frank(1)
        assert refused.value.said == f"postage-rates 1.0.0 is not admitted for {ENERGY}"


@pytest.mark.clause("X5")
async def test_only_software_that_was_validated_on_this_device_franks(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna, ben = Mailer(centre, server), Mailer(centre, server, "ben")
        await anna.sign_up()
        await anna.load(500)
        at, day = centre.now, 86_400
        holder = ben.signing.public_key().public_bytes_raw()
        shown: dict[str, Callable[[bytes], bytes]] = {
            "missing": lambda nonce: b"",
            "over": lambda nonce: anna.presentation(nonce, time=at - day, until=at - 61),
            "too old": lambda nonce: anna.presentation(nonce, time=at - day - 61, until=at + day),
            "of another program": lambda nonce: anna.presentation(nonce, program="games"),
            "of an old version": lambda nonce: anna.presentation(nonce, version=(0, 9, 0)),
            "of another device": ben.presentation,
            "another device's, stolen": lambda nonce: anna.presentation(nonce, holder=holder),
            "for another request": lambda nonce: anna.presentation(bytes(16)),
        }  # fmt: skip
        for name, present in shown.items():
            request = anna.frank_request(85)
            request = replace(request, presentation=present(request.request_id))
            assert await _refused(anna.ask(request, Franked)) == (Refusal.NOT_VALIDATED, "X5"), name
        assert (await anna.about()).registers.ascending == 0
        await anna.frank(85)


@pytest.mark.clause("X6")
async def test_the_integrity_value_stands_in_the_transaction(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        await anna.sign_up()
        await anna.load(500)
        value = digest(b"what the rate component measured")
        franked = await anna.frank(85, integrity=value)
        record = unverified_transaction(franked.transaction)
        assert (record.integrity, record.counter, record.deed) == (value, franked.registers.counter, Deed.FRANK)
        assert unverified_transaction((await anna.frank(85, integrity=None)).transaction).integrity is None
        # It is in the log, for whoever reads it.
        assert franked.transaction in await centre.exported()


@pytest.mark.clause("M25", "M29", "X6")
async def test_a_device_follows_its_meter_and_witnesses_the_log(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        witness = Witness(anna, await anna.sign_up(refill=Refill(below=100, amount=500)))
        await witness.look()
        await witness.do(anna.load_request(300), Loaded)
        await witness.do(anna.frank_request(85, 100), Franked)
        franked = await witness.do(anna.frank_request(100), Franked)
        await server.close()
        # The refill after it was not asked for by the device, and is all right.
        await centre.checkpoint()
        kept = await witness.look()
        assert (kept.registers.descending, kept.registers.ascending, kept.is_followed) == (515, 285, True)
        await witness.do(anna.refund_request(unused=franked.indicia[0]), Refunded)
        for _ in range(6):
            await witness.do(anna.frank_request(1), Franked)
        first = kept.checkpoint
        await centre.checkpoint()
        kept = await witness.look()
        assert kept.checkpoint != first
        assert [unverified_transaction(one).deed for one in await anna.history(2)] == [
            Deed.FRANK, Deed.FRANK, Deed.LOAD, Deed.CREDIT, Deed.FRANK,
        ]  # fmt: skip


@pytest.mark.clause("X8", "M19", "M33")
async def test_every_refusal_has_its_word_and_its_clause_in_the_log(centre: DataCentre) -> None:
    async with centre.function_server() as (server, _):
        anna = Mailer(centre, server)
        stranger = Mailer(centre, server, "stranger")
        signing_up = anna.sign_up_request()
        anna.keep(await anna.say(signing_up, SignedUp))
        await anna.load(50_000)
        stranger.account, stranger.serial, stranger.key = anna.account, "FM00000000011", anna.key
        assert await _refused(stranger.about()) == (Refusal.NO_ACCOUNT, "X8")
        stranger.serial, stranger.key = anna.serial, bytes(32)
        assert await _refused(stranger.frank(1)) == (Refusal.NOT_AUTHENTICATED, "M19")
        assert await _refused(Mailer(centre, server).sign_up()) == (Refusal.NAME_TAKEN, "M30")
        assert await _refused(anna.frank(LIMITS.piece + 1)) == (Refusal.OVER_LIMIT, "M29")
        request = anna.load_request(1)
        await anna.ask(request, Loaded)
        assert await _refused(anna.ask(replace(request, amount=2), Loaded)) == (Refusal.ID_USED, "M33")
        late = replace(anna.load_request(1), time=centre.now - UNDER_WAY_TIME - 1)
        assert await _refused(anna.ask(late, Loaded)) == (Refusal.LATE, "M21")
        ledger = open_ledger(centre.folder / "payment-1" / FILE)
        with ledger.write() as session:
            set_card(session.connection(), anna.account, Terms(), is_refused=True)
        ledger.close()
        assert await _refused(anna.load(1)) == (Refusal.PAYMENT_REFUSED, "M29")
        forged = replace((await anna.frank(1)).indicia[0], token=bytes(16))
        assert await _refused(anna.refund(unused=forged)) == (Refusal.NO_REFUND, "M29")
        new = Mailer(centre, server)
        for _ in range(5):
            asking = new.say(new.sign_on_request("a wrong password"), SignedUp)
            assert await _refused(asking) == (Refusal.NOT_AUTHENTICATED, "M19")
        assert await _refused(new.say(new.sign_on_request(), SignedUp)) == (Refusal.LOCKED, "M19")
        nobody = Mailer(centre, server, "nobody")
        assert await _refused(nobody.say(nobody.sign_on_request(), SignedUp)) == (Refusal.NOT_AUTHENTICATED, "M19")
        tangled = Ask(authenticated(anna.key, replace(anna.load_request(1), serial="FM00000000011")))
        assert await _refused(anna.say(tangled, Loaded)) == (Refusal.NO_ACCOUNT, "X8")
        await centre.stop("database-1")
        assert await _refused(anna.about()) == (Refusal.UNAVAILABLE, "X8")
        await centre.start("database-1")
        # What was done is answered from the journal however often, and costs nothing.
        assert (await anna.say(signing_up, SignedUp)).account == anna.account
        assert await anna.ask(request, Loaded) == await anna.ask(request, Loaded)


@pytest.mark.clause("M21", "M16")
async def test_a_history_of_large_batches_is_followed_page_by_page(centre: DataCentre) -> None:
    # Tokens that are signatures, and so a transaction of 64 of them, take the most room.
    await centre.ask("steel-1", SetNewMeters(VALUE_KIND, centre.freshness, LIMITS.octets(), is_public=True))
    async with centre.function_server() as (server, peers):
        anna = Mailer(centre, server)
        witness = Witness(anna, await anna.sign_up())
        await witness.look()
        # As the centre loads by itself: the device hears of it when it looks, behind its own batches.
        await anna.load(1_000)
        for _ in range(2 * HISTORY_LIMIT):
            request = anna.frank_request(*[1] * BATCH_LIMIT)
            pieces = tuple(replace(each, destination="SW1A 1AA", mail_class=MAIL_CLASS) for each in request.pieces)
            await witness.do(replace(request, pieces=pieces), Franked)
        page = await anna.history(2)
        assert 0 < len(page) < HISTORY_LIMIT
        peers.asked.clear()
        assert (await witness.look()).registers.counter == 2 + 2 * HISTORY_LIMIT
        # All of them, and no question for what is known to be the end.
        assert peers.asked.count("FetchTransactions") == 3

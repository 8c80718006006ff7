"""Each order is done once (M33), whatever is lost on the way: power, relay, answers."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from fob_device.metering.store import METER
from fob_device.metering.wanted import Wanted, WantedLoad, WantedRefund
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.sealed_items import SealedItems
from fob_protocol.history.entry import Entry
from fob_protocol.integrity.admission import NotEnabledError
from fob_protocol.metering.answers import SignedUp
from fob_protocol.metering.faults import MeterError, MeterFault
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import CLOCK_SKEW, REQUEST_TIME
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message, read
from fob_protocol.office.refusals import Refusal
from support.device_bench import MASTER
from support.meter_bench import ORDER, OTHER, WISH, MeterBench, letter, on_meter_bench
from support.metering_office import PASSWORD

# Begun before others: programs, or a whole data centre.
pytestmark = pytest.mark.slow


class PowerGoneError(Exception):
    """Nothing goes on from here."""


@contextmanager
def cut_at_write(number: int, *, is_stored: bool) -> Iterator[list[int]]:
    """The power goes at this write of something of the meter, before or after it is on the disk."""
    writes: list[int] = []
    put = SealedItems.put

    def cutting(self: SealedItems, items: Mapping[str, bytes | None], entry: Entry | None = None) -> None:
        if any(name.startswith(METER) for name in items):
            writes.append(len(writes) + 1)
            if writes[-1] > number or (writes[-1] == number and not is_stored):
                raise PowerGoneError
        put(self, items, entry)
        if writes and writes[-1] == number and any(name.startswith(METER) for name in items):
            raise PowerGoneError

    with patch.object(SealedItems, "put", cutting):
        yield writes


# Of an order that nothing came between: it, and what became of it.
WRITES = 2
THIRD = b"the third order!"
MakeOrder = Callable[[MeterBench], Awaitable[Wanted]]


@pytest.mark.clause("M33")
@pytest.mark.parametrize("is_stored", [False, True], ids=["not stored", "stored"])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
def test_a_power_cut_at_any_write_of_a_frank(tmp_path: Path, number: int, is_stored: bool) -> None:
    async def story(bench: MeterBench) -> None:
        with cut_at_write(number, is_stored=is_stored) as writes, suppress(PowerGoneError):
            await bench.frank()
        assert writes[-1] == number
        await bench.power_cut()
        await bench.validated()
        result = await bench.frank()
        assert bench.office.mailer.registers.pieces == 1
        assert unverified_transaction(result.transaction) == bench.office.newest
        # All that was asked is one request, with the same octets.
        assert len(set(bench.requests)) == 1
        # Whoever said yes before the order was on the disk is asked again, nobody else.
        assert len(bench.plans) == (2 if (number, is_stored) == (1, False) else 1)
        bench.meter.taken(ORDER)
        await bench.frank(order=OTHER)
        assert bench.office.mailer.registers.pieces == 2

    on_meter_bench(tmp_path, story)


async def a_load(bench: MeterBench) -> Wanted:
    return WantedLoad(ORDER, 1000)


async def money_back(bench: MeterBench) -> Wanted:
    return WantedRefund(ORDER, 500, None)


async def an_indicium_back(bench: MeterBench) -> Wanted:
    (unused,) = unverified_transaction((await bench.frank(order=OTHER)).transaction).indicia
    bench.meter.taken(OTHER)
    return WantedRefund(ORDER, None, unused)


@pytest.mark.clause("M29", "M33")
@pytest.mark.parametrize("is_stored", [False, True], ids=["not stored", "stored"])
@pytest.mark.parametrize("number", range(1, WRITES + 1))
@pytest.mark.parametrize(
    ("make", "descending"),
    [(a_load, 6000), (money_back, 4500), (an_indicium_back, 5000)],
    ids=["load", "refund", "credit"],
)
def test_a_power_cut_at_any_write_of_a_load_and_of_a_refund(
    tmp_path: Path, make: MakeOrder, descending: int, number: int, is_stored: bool
) -> None:
    async def story(bench: MeterBench) -> None:
        wanted = await make(bench)
        bench.plans.clear()
        before, asked = len(bench.office.mailer.transactions), len(bench.requests)
        with cut_at_write(number, is_stored=is_stored) as writes, suppress(PowerGoneError):
            await bench.meter.order(wanted, bench.unlock, bench.approve)
        assert writes[-1] == number
        await bench.power_cut()
        await bench.validated()
        result = await bench.meter.order(wanted, bench.unlock, bench.approve)
        assert unverified_transaction(result.transaction) == bench.office.newest
        assert result.registers == bench.office.mailer.registers
        assert (result.registers.descending, len(bench.office.mailer.transactions)) == (descending, before + 1)
        # One request, with the same octets, and one question, but where the yes was not on the disk.
        assert len(set(bench.requests[asked:])) == 1
        assert len(bench.plans) == (2 if (number, is_stored) == (1, False) else 1)
        bench.meter.taken(ORDER)
        assert bench.meter.joiner.store.order() is None
        await bench.frank(order=THIRD)

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M33")
@pytest.mark.parametrize("number", [1, 2])
def test_nothing_more_is_written_than_that(tmp_path: Path, number: int) -> None:
    async def story(bench: MeterBench) -> None:
        with cut_at_write(99, is_stored=True) as writes:
            await bench.frank()
        assert writes == [1, 2]

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M33")
@pytest.mark.parametrize("is_answered", [False, True], ids=["before the answer", "after it"])
def test_a_power_cut_while_it_is_asked_is_settled_by_the_device_itself(tmp_path: Path, is_answered: bool) -> None:
    async def story(bench: MeterBench) -> None:
        bench.post.cut = bench.post.carried + 1, is_answered
        asking = bench.background(bench.frank())
        await bench.until(bench.post.is_cut.is_set)
        asking.cancel()
        await bench.power_cut()
        await bench.until(lambda: not bench.meter.has_asked)
        bench.away()
        unlocked = bench.unlocked
        result = await bench.meter.result(ORDER, bench.unlock)
        assert result is not None
        assert unverified_transaction(result.transaction) == bench.office.newest
        assert (len(set(bench.requests)), bench.unlocked) == (1, unlocked)
        assert bench.office.mailer.registers.pieces == 1

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M33")
def test_a_relay_that_is_lost_and_a_centre_that_cannot_answer_get_the_same_octets(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.post.failures = [NotCarriedError(NotCarried.UNREACHABLE)] * 2
        bench.office.refusals = [RefusedError(Refusal.UNAVAILABLE, 1)] * 3
        await bench.frank()
        assert len(bench.requests) == 4
        assert len(set(bench.requests)) == 1
        assert bench.office.mailer.registers.pieces == 1

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M33")
def test_a_centre_that_is_away_for_long_is_asked_again_when_it_is_back(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.away()
        with pytest.raises(NotCarriedError):
            await bench.frank()
        with pytest.raises(MeterError) as error:
            bench.meter.taken(ORDER)
        assert error.value.fault is MeterFault.ASKING
        bench.away(False)
        await bench.until(lambda: not bench.meter.has_asked)
        assert bench.office.mailer.registers.pieces == 1

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M33")
@pytest.mark.parametrize(
    "refusal", [Refusal.LATE, Refusal.INSUFFICIENT_FUNDS, Refusal.STOPPED, Refusal.TAMPERING, Refusal.ID_USED]
)
def test_a_refusal_ends_the_order(tmp_path: Path, refusal: Refusal) -> None:
    async def story(bench: MeterBench) -> None:
        bench.office.refusals = [RefusedError(refusal)]
        with pytest.raises(RefusedError) as error:
            await bench.frank()
        assert error.value.refusal is refusal
        assert bench.meter.joiner.store.order() is None
        await bench.frank(order=OTHER)
        assert len(set(bench.requests)) == 2

    on_meter_bench(tmp_path, story)


def test_what_was_not_done_in_time_is_late(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.away()
        with pytest.raises(NotCarriedError):
            await bench.frank()
        bench.office.now += REQUEST_TIME + 1
        bench.away(False)
        await bench.until(lambda: not bench.meter.has_asked)
        assert bench.meter.joiner.store.order() is None
        assert bench.office.mailer.registers.pieces == 0

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M33")
def test_one_order_at_a_time_until_its_result_is_taken(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        first = await bench.frank()
        assert await bench.frank() == first
        assert await bench.meter.result(ORDER, bench.unlock) == first
        assert await bench.meter.result(OTHER, bench.unlock) is None
        for order, pieces, fault in (
            (OTHER, (letter(),), MeterFault.NOT_TAKEN),
            (ORDER, (letter(), letter()), MeterFault.ID_USED),
        ):
            with pytest.raises(MeterError) as error:
                await bench.frank(*pieces, order=order)
            assert error.value.fault is fault
        bench.meter.taken(OTHER)
        bench.meter.taken(ORDER)
        bench.meter.taken(ORDER)
        # Who asks for it once more has its result, or will never have it.
        await never_again(bench)
        assert (len(bench.requests), len(bench.plans)) == (1, 1)

    on_meter_bench(tmp_path, story)


async def never_again(bench: MeterBench) -> None:
    """The first order has no result to give, and is not done anew."""
    for asking in (bench.frank(), bench.meter.result(ORDER, bench.unlock)):
        with pytest.raises(MeterError) as error:
            await asking
        assert error.value.fault is MeterFault.ID_USED


@pytest.mark.clause("M14", "M33")
def test_a_result_that_was_not_taken_outlives_a_sign_on(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        first = await bench.frank()
        await bench.join(None)
        assert await bench.meter.result(ORDER, bench.unlock) == first
        assert await bench.frank() == first
        bench.meter.taken(ORDER)
        await bench.frank(order=OTHER)
        assert bench.office.mailer.registers.pieces == 2

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M14", "M33")
def test_what_is_under_way_is_settled_before_a_sign_on(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.post.cut = bench.post.carried + 1, True
        asking = bench.background(bench.frank())
        await bench.until(bench.post.is_cut.is_set)
        asking.cancel()
        await bench.power_cut()
        await bench.validated()
        await bench.join(None)
        result = await bench.meter.result(ORDER, bench.unlock)
        assert result is not None
        assert unverified_transaction(result.transaction) == bench.office.newest
        assert (bench.office.mailer.registers.pieces, len(bench.plans)) == (1, 1)

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M14", "M33")
def test_a_centre_that_cannot_settle_what_is_under_way_has_nobody_sign_on(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.office.refusals = [RefusedError(Refusal.UNAVAILABLE, 1)] * 12
        for asking in (bench.frank(), bench.join(None)):
            with pytest.raises(RefusedError) as error:
                await asking
            assert error.value.refusal is Refusal.UNAVAILABLE
        assert bench.meter.has_asked
        bench.office.refusals.clear()
        await bench.join(None)
        assert (await bench.frank()).registers.pieces == bench.office.mailer.registers.pieces == 1

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M14", "M33")
def test_what_a_wrong_centre_did_with_an_order_is_never_asked_again(tmp_path: Path) -> None:
    """The answer is not believed, so the order is over with the key, paid or not."""

    async def story(bench: MeterBench) -> None:
        bench.office.spoil_record = lambda record: replace(record, before=bytes(32))
        with pytest.raises(MeterError) as error:
            await bench.frank()
        assert error.value.fault is MeterFault.BROKEN_CHAIN
        bench.office.spoil_record = lambda record: record
        await bench.join(None)
        assert bench.meter.joiner.store.order() is None
        await never_again(bench)
        await bench.frank(order=OTHER)

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M29")
def test_money_on_it_and_back_and_an_indicium_that_was_not_used(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        loaded = await bench.meter.order(WantedLoad(OTHER, 1000), bench.unlock, bench.approve)
        bench.meter.taken(OTHER)
        assert (loaded.registers.descending, bench.office.charged) == (6000, [5000, 1000])
        (unused,) = unverified_transaction((await bench.frank()).transaction).indicia
        bench.meter.taken(ORDER)
        for wanted in (WantedRefund(THIRD, None, unused), WantedRefund(b"the fourth order", 500, None)):
            done = await bench.meter.order(wanted, bench.unlock, bench.approve)
            bench.meter.taken(wanted.order)
            assert done.registers.is_lawful
        assert read(Indicium, unused.indicium).amount == 95
        assert (done.registers.descending, done.registers.loads) == (5500, 5595)
        assert [plan.words for plan in bench.plans] == [
            "load EUR 10.00", "frank 1 letter, EUR 0.95, to 10115", "give back an unused indicium of EUR 0.95",
            "have EUR 5.00 paid back",
        ]  # fmt: skip

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M14", "M30", "M33")
@pytest.mark.parametrize("is_answered", [False, True], ids=["before the answer", "after it"])
@pytest.mark.parametrize("is_new", [True, False], ids=["sign-up", "sign-on"])
def test_a_sign_up_that_lost_its_answer_is_the_same_request(tmp_path: Path, is_new: bool, is_answered: bool) -> None:
    async def story(bench: MeterBench) -> None:
        wish = WISH if is_new else None
        await bench.validated()
        if not is_new:
            await bench.join(WISH)
        bench.office.said.clear()
        key, typed = bench.office.account.key if bench.office.account else b"", bench.typed
        # The terms are asked before.
        bench.post.cut = bench.post.carried + 2, is_answered
        asking = bench.background(bench.join(wish))
        await bench.until(bench.post.is_cut.is_set)
        asking.cancel()
        await bench.power_cut()
        await bench.validated()
        await bench.join(wish)
        joins = [body for body in bench.office.said if body[:2] in (b"\x82\x01", b"\x82\x07")]
        assert (len(set(joins)), bench.typed - typed) == (1, 1)
        assert bench.office.mailer.key != key
        assert bench.mailer.is_followed
        await bench.load(500)

    on_meter_bench(tmp_path, story, joined=False)


@pytest.mark.clause("M30", "M33")
@pytest.mark.parametrize("is_stored", [False, True], ids=["not stored", "stored"])
@pytest.mark.parametrize("number", range(1, 5))
def test_a_power_cut_at_any_write_of_a_sign_up(tmp_path: Path, number: int, is_stored: bool) -> None:
    """The request, the key, what is said of the meter, and how it began."""

    async def story(bench: MeterBench) -> None:
        await bench.validated()
        with cut_at_write(number, is_stored=is_stored) as writes, suppress(PowerGoneError):
            await bench.join(WISH)
        assert writes[-1] == number
        await bench.power_cut()
        await bench.validated()
        await bench.join(WISH)
        assert len({body for body in bench.office.said if body[:2] == b"\x82\x01"}) == 1
        assert bench.typed == (2 if (number, is_stored) == (1, False) else 1)
        await bench.load(500)
        assert bench.mailer.registers == bench.office.mailer.registers

    on_meter_bench(tmp_path, story, joined=False)


def test_a_wrong_password_is_typed_again(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        with pytest.raises(RefusedError) as error:
            await bench.join(None, "not the right one")
        assert error.value.refusal is Refusal.NOT_AUTHENTICATED
        assert bench.meter.joiner.store.joining() is None
        await bench.join(None)
        assert bench.typed == 3

    on_meter_bench(tmp_path, story)


def test_a_sign_on_to_a_box_that_is_gone_is_over_when_it_is_late(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        def spoil(message: Message) -> Message:
            if isinstance(message, SignedUp):
                raise RefusedError(Refusal.UNAVAILABLE)
            return message

        bench.office.spoil_message = spoil
        for late, is_kept in ((0, True), (REQUEST_TIME, True), (CLOCK_SKEW + 1, False)):
            bench.office.now += late
            with pytest.raises(RefusedError):
                await bench.join(None)
            assert (bench.meter.joiner.store.joining() is not None) is is_kept
        assert bench.typed == 2

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M14")
def test_a_key_that_another_device_took_over_is_over(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.office.mailer.key = bytes(32)
        with pytest.raises(RefusedError) as error:
            await bench.frank()
        assert error.value.refusal is Refusal.NOT_AUTHENTICATED

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M1", "M19")
def test_the_key_and_the_password_stand_nowhere(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.frank()
        kept = bench.meter.joiner.store.meter()
        assert kept is not None
        key = bench.meter.joiner.store.key_of(kept, MASTER)
        assert key == bench.office.mailer.key
        stored = b"".join(bench.memory.office_items.get(name) or b"" for name in bench.memory.office_items.names())
        crossed = b"".join(bench.post.sealed) + stored
        said = "".join(map(repr, (kept, bench.meter, bench.meter.joiner.store.order(), bench.plans)))
        for secret in (key, PASSWORD.encode()):
            assert secret not in crossed
            assert secret.hex() not in said
            assert repr(secret) not in said

    on_meter_bench(tmp_path, story)


def test_the_day_has_an_allowance_that_the_person_set(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.meter.set_allowance(200)
        for number in range(3):
            order = bytes([number]) * 16
            await bench.frank(order=order)
            bench.meter.taken(order)
        # Two letters of EUR 0.95 are within EUR 2.00.
        assert len(bench.plans) == 1
        bench.office.now += 86_400
        await bench.validated()
        await bench.frank()
        assert len(bench.plans) == 1
        bench.meter.taken(ORDER)
        await bench.load(500, THIRD)
        assert len(bench.plans) == 2

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("X5")
def test_a_rate_component_that_was_changed_rates_nothing(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.switch_off()
        bench.damage("postage-rates")
        await bench.start()
        with pytest.raises(NotEnabledError) as error:
            await bench.frank()
        assert (error.value.program, error.value.word) == ("postage-rates", "invalid")
        assert bench.requests == []

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("X5")
def test_a_presentation_that_the_centre_does_not_admit_ends_the_order(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.office.party = type(bench.office.party)(bytes(32), 86_400)
        with pytest.raises(RefusedError) as error:
            await bench.frank()
        assert error.value.refusal is Refusal.NOT_VALIDATED
        assert unverified_transaction(bench.office.mailer.transactions[-1]).deed is Deed.LOAD

    on_meter_bench(tmp_path, story)

"""M30: what signing up costs is told before, asked once, with the first payment, and never another price."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_device.metering.joining import Wish
from fob_protocol.metering.answers import About
from fob_protocol.metering.faults import MeterError, MeterFault
from fob_protocol.metering.kinds import Deed, Payment
from fob_protocol.metering.records import Refill
from fob_protocol.metering.requests import SignUp, SignUpRequest, read_signed
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import Message, read
from fob_protocol.office.refusals import Refusal
from fob_protocol.pkcs11.errors import CkrError
from support.meter_bench import WISH, MeterBench, on_meter_bench
from support.metering_office import KIND

pytestmark = pytest.mark.clause("M30")

OTHER = b"another load ..."


async def joined(bench: MeterBench, payment: Payment = Payment.PREPAID, fee: int | None = None) -> None:
    bench.office.fee = 500
    await bench.validated()
    await bench.join(Wish(KIND, payment, None, ("20095",), fee))


async def fault_of(doing: Awaitable[object]) -> MeterFault:
    with pytest.raises(MeterError) as error:
        await doing
    return error.value.fault


def words(bench: MeterBench) -> list[str]:
    return [plan.words for plan in bench.plans]


def test_it_is_said_with_the_password_and_asked_with_the_first_load_alone(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await joined(bench)
        assert bench.costs == ["EUR 5.00"]
        signed = next(body for body in bench.office.said if body[1] == SignUp.__struct_config__.tag)
        assert read_signed(SignUpRequest, read(SignUp, signed).signed).fee == 500
        assert bench.mailer.fee_due == 500
        await bench.load(2_000)
        assert bench.mailer.fee_due == 0
        bench.meter.taken(b"money on a meter")
        await bench.load(1_000, OTHER)
        assert words(bench) == ["load EUR 20.00 and EUR 5.00 for signing up", "load EUR 10.00"]
        assert bench.mailer.registers.loads == 3_000

    on_meter_bench(tmp_path, story, joined=False)


def test_where_it_costs_nothing_nothing_is_said(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.validated()
        await bench.join(WISH)
        await bench.load(2_000)
        assert (bench.costs, words(bench)) == ([""], ["load EUR 20.00"])
        bench.office.spoil_record = lambda record: replace(record, fee=1)
        bench.meter.taken(b"money on a meter")
        assert await fault_of(bench.load(1_000, OTHER)) is MeterFault.WRONG_FEE

    on_meter_bench(tmp_path, story, joined=False)


def test_the_price_on_the_form_is_the_price(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        assert await fault_of(joined(bench, fee=400)) is MeterFault.WRONG_FEE
        assert bench.office.account is None
        assert bench.typed == 0
        await bench.join(replace_fee(500))
        assert bench.mailer.fee_due == 500

    on_meter_bench(tmp_path, story, joined=False)


def replace_fee(fee: int) -> Wish:
    return Wish(KIND, Payment.PREPAID, None, ("20095",), fee)


@pytest.mark.clause("M30", "M32")
def test_what_is_not_sold_is_named_before_a_password_is_typed(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        with pytest.raises(CkrError, match=f"no kwh-milli is sold; what is: {KIND}"):
            await bench.join(Wish("kwh-milli", Payment.PREPAID, None, ("20095",)))
        assert (bench.office.account, bench.typed) == (None, 0)

    on_meter_bench(tmp_path, story, joined=False)


@pytest.mark.clause("M29", "M30")
def test_a_refill_under_the_least_deposit_is_refused_before_a_password_is_typed(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.validated()
        with pytest.raises(RefusedError) as refused:
            await bench.join(Wish(KIND, Payment.PREPAID, Refill(500, 499), ("20095",)))
        assert refused.value.refusal is Refusal.PAYMENT_REFUSED
        assert refused.value.said == "a refill of EUR 4.99; at least EUR 5.00 at once"
        assert (bench.office.account, bench.typed) == (None, 0)
        await bench.join(Wish(KIND, Payment.PREPAID, Refill(500, 500), ("20095",)))

    on_meter_bench(tmp_path, story, joined=False)


LIES: dict[str, Callable[[MeterBench], None]] = {
    "a higher price with the payment": lambda bench: spoil_record(bench, 501),
    "a lower one": lambda bench: spoil_record(bench, 499),
    "a higher price due": lambda bench: spoil_about(bench, 501),
}


def spoil_record(bench: MeterBench, fee: int) -> None:
    bench.office.spoil_record = lambda record: replace(record, fee=fee)


def spoil_about(bench: MeterBench, fee: int) -> None:
    def spoil(message: Message) -> Message:
        return replace(message, fee=fee) if isinstance(message, About) else message

    bench.office.spoil_message = spoil


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_another_price_than_was_named_is_refused_and_the_fault_lasts(
    tmp_path: Path, lie: Callable[[MeterBench], None]
) -> None:
    async def story(bench: MeterBench) -> None:
        await joined(bench)
        lie(bench)

        async def pay() -> None:
            await bench.meter.about(bench.unlock)
            await bench.load(2_000)

        assert await fault_of(pay()) is MeterFault.WRONG_FEE
        assert bench.mailer.fault == MeterFault.WRONG_FEE
        bench.office.spoil_record, bench.office.spoil_message = lambda record: record, lambda message: message
        assert await fault_of(bench.load(100, OTHER)) in (MeterFault.WRONG_FEE, MeterFault.NOT_TAKEN)

    on_meter_bench(tmp_path, story, joined=False)


def test_it_is_not_paid_twice_by_what_the_centre_does_itself(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await joined(bench)
        bench.office.does(Deed.LOAD, 500)
        await bench.meter.about(bench.unlock)
        assert bench.mailer.fee_due == 0
        bench.office.mailer.fee = 500
        bench.office.does(Deed.LOAD, 500)
        bench.office.mailer.fee = 0
        assert await fault_of(bench.meter.about(bench.unlock)) is MeterFault.WRONG_FEE

    on_meter_bench(tmp_path, story, joined=False)


@pytest.mark.parametrize("is_due", [True, False])
def test_who_pays_per_use_is_asked_with_the_first_letter_in_spite_of_the_allowance(
    tmp_path: Path, *, is_due: bool
) -> None:
    async def story(bench: MeterBench) -> None:
        await joined(bench, Payment.PER_USE)
        bench.meter.set_allowance(10_000)
        if is_due:
            bench.office.refusals = [RefusedError(Refusal.PAYMENT_REFUSED)]
            with suppress(RefusedError):
                await bench.frank()
            assert words(bench) == ["frank 1 letter, EUR 0.95, to 10115 and EUR 5.00 for signing up"]
        else:
            bench.office.does(Deed.LOAD, 500)
            await bench.meter.about(bench.unlock)
            await bench.frank()
            assert words(bench) == []

    on_meter_bench(tmp_path, story, joined=False)


def test_who_pays_later_pays_it_when_he_settles(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await joined(bench, Payment.POSTPAID)
        await bench.load(2_000)
        assert words(bench) == ["load EUR 20.00"]
        assert bench.mailer.fee_due == 500
        bench.office.does(Deed.SETTLE, 2_000)
        await bench.meter.about(bench.unlock)
        assert bench.mailer.fee_due == 0

    on_meter_bench(tmp_path, story, joined=False)


def test_another_device_hears_what_is_due(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await joined(bench)
        await bench.join(None)
        await bench.load(2_000)
        assert words(bench) == ["load EUR 20.00 and EUR 5.00 for signing up"]
        await bench.join(None)
        await bench.meter.about(bench.unlock)
        assert bench.mailer.fee_due == 0

    on_meter_bench(tmp_path, story, joined=False)

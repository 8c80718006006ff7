"""A data centre that lies is found out by name, and nothing of what it said is taken."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_protocol.cose import hpke
from fob_protocol.cose.labels import Label
from fob_protocol.metering.answers import About, Franked, History, SignedUp
from fob_protocol.metering.faults import LASTING, MeterError, MeterFault
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.log.checkpoint import Checkpoint
from fob_protocol.metering.passes import Kind
from fob_protocol.metering.transaction import TransactionRecord, unverified_transaction
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.message import Message, read
from support.meter_bench import ORDER, OTHER, MeterBench, letter, on_meter_bench
from support.metering_office import Log
from support.octets import flipped
from support.office_signers import NOW

SpoilRecord = Callable[[TransactionRecord], TransactionRecord]


def indicium(**changes: object) -> SpoilRecord:
    """The first indicium says something else."""

    def spoil(record: TransactionRecord) -> TransactionRecord:
        first, *others = record.indicia
        changed = replace(read(Indicium, first.indicium), **changes)
        return replace(record, indicia=(Indicated(changed.octets(), first.token), *others))

    return spoil


def changed(**changes: object) -> SpoilRecord:
    return lambda record: replace(record, **changes)


def swapped(record: TransactionRecord) -> TransactionRecord:
    return replace(record, indicia=record.indicia[::-1])


def short_token(record: TransactionRecord) -> TransactionRecord:
    first, *others = record.indicia
    return replace(record, indicia=(Indicated(first.indicium, first.token + b"x"), *others))


async def refused(bench: MeterBench, order: bytes = ORDER) -> MeterFault:
    with pytest.raises(MeterError) as error:
        await bench.frank(letter(20), letter(21, "20457"), order=order)
    return error.value.fault


RECORD_LIES = {
    "another request": (changed(request_id=bytes(16)), MeterFault.WRONG_REQUEST),
    "another meter": (changed(serial="VM-0002"), MeterFault.WRONG_METER),
    "another deed": (changed(deed=Deed.LOAD), MeterFault.WRONG_DEED),
    "a cent more": (changed(amount=206), MeterFault.WRONG_AMOUNT),
    "a cent lost": (changed(descending=4794), MeterFault.UNLAWFUL),
    "money made": (changed(loads=5001, descending=4796), MeterFault.WRONG_COUNTER),
    "the counter stands": (changed(counter=2), MeterFault.WRONG_COUNTER),
    "no integrity value": (changed(integrity=None), MeterFault.WRONG_INTEGRITY),
    "another record before": (changed(before=bytes(32)), MeterFault.BROKEN_CHAIN),
    "an indicium less": (lambda record: replace(record, indicia=record.indicia[:1]), MeterFault.WRONG_PIECES),
    "indicia swapped": (swapped, MeterFault.WRONG_PIECES),
    "a token of no size": (short_token, MeterFault.WRONG_PIECES),
    "no indicium": (
        lambda record: replace(record, indicia=(Indicated(b"\x80", bytes(16)), record.indicia[1])),
        MeterFault.WRONG_PIECES,
    ),
    **{
        f"an indicium of another {name}": (indicium(**{name: value}), MeterFault.WRONG_PIECES)
        for name, value in {
            "serial": "VM-0002", "counter": 9, "piece": 7, "amount": 96, "value_kind": "usd-cent",
            "date": 2027_01_14, "origin": "80331", "destination": "10117", "addressee": bytes(16),
            "mail_class": "parcel", "ascending": 96,
        }.items()
    },
}  # fmt: skip


@pytest.mark.clause("M19", "M27", "X6")
@pytest.mark.parametrize(("spoil", "fault"), RECORD_LIES.values(), ids=RECORD_LIES)
def test_a_transaction_that_is_not_what_was_asked_for(tmp_path: Path, spoil: SpoilRecord, fault: MeterFault) -> None:
    async def story(bench: MeterBench) -> None:
        before = bench.mailer
        bench.office.spoil_record = spoil
        assert await refused(bench) is fault
        kept = bench.meter.joiner.store.order()
        assert kept is not None
        assert kept.transaction is None
        assert bench.mailer == replace(before, fault=fault if fault in LASTING else "")

    on_meter_bench(tmp_path, story)


def answer(change: Callable[[Franked], Franked]) -> Callable[[Message], Message]:
    return lambda message: change(message) if isinstance(message, Franked) else message


MESSAGE_LIES = {
    "other registers": (
        lambda said: replace(said, registers=replace(said.registers, pieces=99)), MeterFault.WRONG_COUNTER
    ),
    "unlawful registers": (
        lambda said: replace(said, registers=replace(said.registers, ascending=1)), MeterFault.UNLAWFUL
    ),
    "other tokens": (
        lambda said: replace(said, indicia=tuple(replace(one, token=bytes(16)) for one in said.indicia)),
        MeterFault.WRONG_PIECES,
    ),
    "a bit of the transaction": (
        lambda said: replace(said, transaction=flipped(said.transaction)),
        MeterFault.WRONG_SIGNATURE,
    ),
    "no transaction": (lambda said: replace(said, transaction=b""), MeterFault.WRONG_SIGNATURE),
}  # fmt: skip


@pytest.mark.clause("M19")
@pytest.mark.parametrize(("change", "fault"), MESSAGE_LIES.values(), ids=MESSAGE_LIES)
def test_an_answer_that_is_not_the_transaction(
    tmp_path: Path, change: Callable[[Franked], Franked], fault: MeterFault
) -> None:
    async def story(bench: MeterBench) -> None:
        bench.office.spoil_message = answer(change)
        assert await refused(bench) is fault
        # Told right the next time, it is taken: the request was the same.
        bench.office.spoil_message = lambda message: message
        result = await bench.frank(letter(20), letter(21, "20457"))
        assert unverified_transaction(result.transaction).amount == 205
        assert len(bench.plans) == 1
        assert bench.office.mailer.registers.pieces == 2

    on_meter_bench(tmp_path, story)


def test_a_transaction_that_a_stranger_signed(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.office.signer = bench.office.signers.signing_key()
        assert await refused(bench) is MeterFault.WRONG_SIGNATURE

    on_meter_bench(tmp_path, story)


def about(change: Callable[[About, MeterBench], About], bench: MeterBench) -> Callable[[Message], Message]:
    return lambda message: change(message, bench) if isinstance(message, About) else message


def shown(kind: Kind = Kind.TRANSACTION, **changes: object) -> Callable[[About, MeterBench], About]:
    return lambda said, bench: replace(said, passes=(bench.office.shown(kind, **changes),))


def signed(said: About, bench: MeterBench, **changes: object) -> About:
    checkpoint = Checkpoint("0" * 16, 2, bytes(32), NOW)
    return replace(said, checkpoint=replace(checkpoint, **changes).signed(bench.office.box))


def by_stranger(said: About, bench: MeterBench) -> About:
    key = bench.office.signers.signing_key()
    return replace(said, passes=(bench.office.shown(Kind.TRANSACTION, key),))


ABOUT_LIES = {
    "a pass that the manufacturing box did not sign": (by_stranger, MeterFault.WRONG_SIGNATURE),
    "the pass of a meter box": (shown(Kind.METER), MeterFault.WRONG_SIGNATURE),
    "a pass that signs nothing": (shown(signing=None), MeterFault.WRONG_SIGNATURE),
    "a pass that is over": (shown(not_after=NOW - 1), MeterFault.WRONG_SIGNATURE),
    "an older pass": (shown(number=0), MeterFault.WRONG_SIGNATURE),
    "a checkpoint of another log": (signed, MeterFault.WRONG_SIGNATURE),
    "no log any more": (lambda said, _: replace(said, checkpoint=None), MeterFault.LOG_REWRITTEN),
    "no proof": (lambda said, _: replace(said, proof=(bytes(32),)), MeterFault.LOG_REWRITTEN),
    "a counter that went back": (
        lambda said, _: replace(said, registers=replace(said.registers, counter=1)), MeterFault.BROKEN_CHAIN
    ),
    "unlawful registers": (
        lambda said, _: replace(said, registers=replace(said.registers, loads=4999)), MeterFault.UNLAWFUL
    ),
    "another value kind": (lambda said, _: replace(said, value_kind="usd-cent"), MeterFault.WRONG_METER),
}  # fmt: skip


@pytest.mark.clause("M19", "M22")
@pytest.mark.parametrize(("change", "fault"), ABOUT_LIES.values(), ids=ABOUT_LIES)
def test_what_is_told_of_the_meter(
    tmp_path: Path, change: Callable[[About, MeterBench], About], fault: MeterFault
) -> None:
    async def story(bench: MeterBench) -> None:
        before = bench.mailer
        bench.office.spoil_message = about(change, bench)
        with pytest.raises(MeterError) as error:
            await bench.meter.about(bench.unlock)
        assert error.value.fault is fault
        assert bench.mailer == replace(before, fault=fault if fault in LASTING else "")

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M22", "M23")
@pytest.mark.parametrize("lost", [1, 2], ids=["an entry changed", "entries cut off"])
def test_a_log_that_was_rewritten_is_a_fault_until_the_mailer_signs_on_again(tmp_path: Path, lost: int) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.frank()
        bench.meter.taken(b"the first order!")
        await bench.meter.about(bench.unlock)
        # Staff put an older log in place, and go on from there.
        bench.office.log = Log()
        for octets in bench.office.mailer.transactions[: -lost or None]:
            bench.office.log.append(octets if lost == 2 else octets + b"!")
        bench.office.log.append(b"another")
        with pytest.raises(MeterError) as error:
            await bench.meter.about(bench.unlock)
        assert error.value.fault is MeterFault.LOG_REWRITTEN
        assert bench.events[-1].values[2] == "log-rewritten"
        assert await refused(bench, OTHER) is MeterFault.LOG_REWRITTEN
        assert bench.plans[1:] == []
        await bench.power_cut()
        assert bench.mailer.fault == "log-rewritten"
        await bench.validated()
        await bench.join(None)
        await bench.frank(order=OTHER)

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M19", "M22")
def test_who_is_not_let_in_after_a_restore_hears_of_the_log_by_the_sign_on_and_takes_it_up_by_the_next(
    tmp_path: Path,
) -> None:
    """Nobody is told of a log without a key; what a device was never told, no word of its person makes good."""

    async def story(bench: MeterBench) -> None:
        await bench.frank()
        bench.meter.taken(b"the first order!")
        await bench.meter.about(bench.unlock)
        kept = bench.office.mailer.transactions
        bench.office.log = Log()
        for octets in [*kept[:-1], b"the operator's order"]:
            bench.office.log.append(octets)
        bench.office.mailer.key = bytes(32)
        with pytest.raises(RefusedError, match="not-authenticated"):
            await bench.meter.about(bench.unlock)
        assert bench.mailer.fault == ""
        await bench.join(None)
        assert (bench.mailer.fault, bench.events[-1].values[2]) == ("log-rewritten", "log-rewritten")
        assert await refused(bench, OTHER) is MeterFault.LOG_REWRITTEN
        await bench.join(None)
        assert bench.mailer.fault == ""
        await bench.frank(order=OTHER)

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M22")
def test_what_the_centre_did_by_itself_is_followed_before_the_next_request(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        for _ in range(7):
            bench.office.does(Deed.LOAD, 100)
        await bench.frank()
        bench.meter.taken(b"the first order!")
        assert not bench.mailer.is_followed
        await bench.frank(order=OTHER)
        assert bench.mailer.is_followed
        assert bench.mailer.registers == bench.office.mailer.registers

    on_meter_bench(tmp_path, story)


def test_what_is_owed_is_as_the_centre_said_last_since_no_transaction_tells_it(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.office.does(Deed.LOAD, 100)
        await bench.frank()
        bench.meter.taken(b"the first order!")
        bench.office.does(Deed.LOAD, 100)
        bench.office.mailer.registers = replace(bench.office.mailer.registers, owed=100)
        await bench.meter.history(0, bench.unlock)
        assert bench.mailer.registers == replace(bench.office.mailer.registers, owed=0)
        await bench.meter.about(bench.unlock)
        assert bench.mailer.registers == bench.office.mailer.registers

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M22", "M23")
def test_a_frank_that_this_device_did_not_ask_for(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        bench.office.does(Deed.FRANK, 95)
        await bench.frank()
        bench.meter.taken(b"the first order!")
        with pytest.raises(MeterError) as error:
            await bench.frank(order=OTHER)
        assert error.value.fault is MeterFault.UNKNOWN_FRANK
        assert bench.mailer.fault == "unknown-frank"

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M22", "M33")
@pytest.mark.parametrize("deed", [Deed.FRANK, Deed.LOAD])
def test_what_this_device_asked_once_and_the_centre_did_twice(tmp_path: Path, deed: Deed) -> None:
    async def story(bench: MeterBench) -> None:
        await (bench.frank(order=ORDER) if deed is Deed.FRANK else bench.load(500, order=ORDER))
        bench.meter.taken(ORDER)
        bench.office.does(deed, 95, request=bench.mailer.asked[-1].request_id)
        # Behind its own next one, which was answered, it stands where it was not.
        await bench.frank(order=OTHER)
        bench.meter.taken(OTHER)
        with pytest.raises(MeterError) as error:
            await bench.frank(order=b"the third order!")
        assert error.value.fault is MeterFault.DONE_TWICE
        assert bench.mailer.fault == "done-twice"

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M14", "M30")
def test_an_account_of_somebody_elses_sign_up_gets_no_money(tmp_path: Path) -> None:
    """Staff's own account, with a key in it that is sealed to this very device."""

    async def story(bench: MeterBench) -> None:
        def spoil(message: Message) -> Message:
            if not isinstance(message, SignedUp):
                return message
            sealing = bench.meter.joiner.device.sealing_key.public_key().public_bytes_raw()
            key = hpke.seal_to(sealing, Label.USER_AUTHENTICATION_KEY, [bytes(16)], bytes(32))
            return replace(message, account=bytes(16), key=key)

        bench.office.spoil_message = spoil
        with pytest.raises(OfficeError, match="the account is not that of this sign-up"):
            await bench.signed_up()
        assert bench.meter.joiner.store.meter() is None

    on_meter_bench(tmp_path, story, joined=False)


@pytest.mark.parametrize("missing", ["the first", "the last", "all"])
def test_a_history_with_something_missing(tmp_path: Path, missing: str) -> None:
    def spoil(message: Message) -> Message:
        if not isinstance(message, History):
            return message
        kept = {"the first": message.transactions[1:], "the last": message.transactions[:-1], "all": ()}
        return History(kept[missing])

    async def story(bench: MeterBench) -> None:
        for _ in range(3):
            bench.office.does(Deed.LOAD, 100)
        bench.office.spoil_message = spoil
        with pytest.raises(MeterError) as error:
            await bench.meter.about(bench.unlock)
        assert error.value.fault is MeterFault.WRONG_COUNTER

    on_meter_bench(tmp_path, story)


@pytest.mark.clause("M21")
def test_a_history_comes_in_pages_as_short_as_they_have_to_be(tmp_path: Path) -> None:
    pages: list[int] = []

    def shortened(message: Message) -> Message:
        if not isinstance(message, History):
            return message
        # As many large transactions fill an answer.
        pages.append(len(message.transactions[:2]))
        return History(message.transactions[:2])

    async def story(bench: MeterBench) -> None:
        await bench.meter.about(bench.unlock)
        for _ in range(5):
            bench.office.does(Deed.LOAD, 100)
        bench.office.spoil_message = shortened
        await bench.meter.about(bench.unlock)
        assert bench.mailer.is_followed
        assert pages == [2, 2, 1]

    on_meter_bench(tmp_path, story)


def test_a_history_for_people_has_what_there_is_around_what_a_restored_centre_lost(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.frank()
        assert [one.counter for one in map(unverified_transaction, await bench.meter.history(0, bench.unlock))] == [
            1,
            2,
            3,
        ]
        bench.office.spoil_message = lambda message: (
            History((message.transactions[0], message.transactions[2])) if isinstance(message, History) else message
        )
        found = [unverified_transaction(one).counter for one in await bench.meter.history(0, bench.unlock)]
        assert found == [1, 3]

    on_meter_bench(tmp_path, story)


@pytest.mark.parametrize("after", [1, 3])
def test_a_history_for_people_does_not_begin_too_early(tmp_path: Path, after: int) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.frank()
        records = tuple(bench.office.mailer.transactions)
        bench.office.spoil_message = lambda message: History(records) if isinstance(message, History) else message
        with pytest.raises(MeterError) as error:
            await bench.meter.history(after, bench.unlock)
        assert error.value.fault is MeterFault.WRONG_COUNTER

    on_meter_bench(tmp_path, story)


def test_a_history_for_people_is_checked_too(tmp_path: Path) -> None:
    async def story(bench: MeterBench) -> None:
        await bench.frank()
        records = [unverified_transaction(one) for one in await bench.meter.history(0, bench.unlock)]
        assert [record.deed for record in records] == [Deed.CREATE, Deed.LOAD, Deed.FRANK]
        bench.office.spoil_message = lambda message: (
            History(message.transactions[::-1]) if isinstance(message, History) else message
        )
        with pytest.raises(MeterError) as error:
            await bench.meter.history(0, bench.unlock)
        assert error.value.fault is MeterFault.WRONG_COUNTER

    on_meter_bench(tmp_path, story)

"""The transaction of the meter box, in its order (M20): what it gives and refuses, and that nothing changes then."""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from fob_office.centre.boxes.meter.points import CrashPoint
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import SoftwareVault
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.commands.meter import Act, Begin, Changed, Keep, Made, Obey
from fob_protocol.cose import encrypt0, mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed, Freshness, MeterState
from fob_protocol.metering.limits import CLOCK_SKEW, PERMISSION_TIME
from fob_protocol.metering.records import MeterRecord
from fob_protocol.metering.values import Registers
from fob_protocol.metering.vouchers import MeterOrder, Permission
from fob_protocol.office.hashing import digest
from fob_protocol.office.limits import REFUSAL_LIMIT
from fob_protocol.office.message import read
from support.centre_customer import Customer
from support.centre_meters import ACCOUNT, NOW, Meters, altered, pieces_of
from support.octets import flipped

# Seconds to the last one of the month of NOW, which is 2027-01-15 08:00 UTC, and a day.
MONTH_END, DAY = 16 * 86_400 + 16 * 3600 - 1, 86_400


@pytest.mark.clause("M17")
@pytest.mark.clause("M20")
async def test_a_batch_is_franked(customer: Customer) -> None:
    changed = await customer.frank(80, 160)
    assert customer.registers == Registers(counter=3, ascending=240, descending=760, pieces=2, loads=1_000, owed=0)
    assert (changed.amount, len(changed.indicia), changed.time) == (240, 2, NOW)
    first, second = (read(Indicium, made.indicium) for made in changed.indicia)
    assert (first.counter, first.piece, first.amount, first.ascending, first.date) == (3, 0, 80, 80, 2027_01_15)
    assert (second.counter, second.piece, second.amount, second.ascending) == (3, 1, 160, 240)
    assert (second.origin, second.destination, second.mail_class) == ("10115", "20095", "letter")
    assert customer.meter.last == changed.act.request_digest


@pytest.mark.clause("M20")
async def test_the_steps_come_in_their_order(
    world: Meters, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    derive = SoftwareVault.derive
    for name in ("meter-1", "meter-2"):
        shelf = world.running[name].shelf
        put_all = shelf.put_all

        async def put(rows: Any, name: str = name, put_all: Any = put_all) -> None:
            await put_all(rows)
            steps.append(f"on the disk of {name}")

        monkeypatch.setattr(shelf, "put_all", put)

    def spied(vault: SoftwareVault, purpose: Purpose, *context: Any) -> bytes:
        steps.append(purpose)
        return derive(vault, purpose, *context)

    command = customer.frank_command(80)
    world.before = lambda name, command: steps.append(type(command).__name__)
    monkeypatch.setattr(SoftwareVault, "derive", spied)
    await world.ask(customer.box, command)
    a, c, e, g = (
        ["record", "permission"],
        ["token"],
        ["on the disk of meter-1", "Keep", "on the disk of meter-2"],
        ["record", "change"],
    )
    assert steps == ["Frank", *a, *c, *e, *g]


@pytest.mark.clause("M20")
async def test_there_is_no_token_before_the_debit_is_on_both_disks(world: Meters, customer: Customer) -> None:
    command = customer.frank_command(80)
    world.kill_at["meter-1"] = CrashPoint.AFTER_E
    with pytest.raises(AwayError):
        await customer.change(command)
    standings = [dict(disk) for disk in world.disks.values()]
    world.start("meter-1")
    (made,) = (await customer.change(command)).indicia
    kept = b"".join(octets for disk in standings for octets in disk.values())
    assert (made.indicium in kept, made.token in kept, customer.record in kept) == (True, False, False)


Wrong = Callable[[Meters, Customer], Command[Changed]]


def permitted(**changes: Any) -> Wrong:
    """A frank of 80 with a permission that says something else."""

    def make(world: Meters, customer: Customer) -> Command[Changed]:
        command = customer.frank_command(80)
        said = Permission(ACCOUNT, command.act.request_digest, Deed.FRANK, "M-1", 80, digest(command.pieces), world.now)
        return replace(command, permission=world.sign_permission(replace(said, **changes)))

    return make


def recorded(**changes: Any) -> Wrong:
    """A frank of 80 with a record that a meter box would have signed, and did not."""
    return lambda world, customer: customer.frank_command(80, record=altered(world, customer.record, **changes))


def franked(*amounts: int, **changes: Any) -> Wrong:
    return lambda world, customer: replace(customer.frank_command(*amounts), **changes)


def funded(amount: int = 50, **how: Any) -> Wrong:
    return lambda world, customer: customer.load_command(amount, **how)


def cut(world: Meters, customer: Customer) -> Command[Changed]:
    command = customer.frank_command(80)
    return replace(command, record=flipped(command.record))


REFUSED: dict[str, tuple[str, Wrong]] = {
    "no record": ("tampering", franked(80, record=b"")),
    "no code": ("tampering", cut),
    "a record that is too long": ("tampering", franked(80, record=bytes(3000))),
    "another state": ("tampering", recorded(state=MeterState.STOPPED)),
    "another account": ("not-authenticated", recorded(account=bytes(16))),
    "a later epoch": ("tampering", recorded(epoch=epoch_of(NOW) + 1)),
    "an earlier epoch": ("epoch-rollback", recorded(epoch=epoch_of(NOW) - 1)),
    "a meter of nobody": ("not-authenticated", recorded(serial="M-2")),
    "permission of another account": ("not-authenticated", permitted(account=bytes(16))),
    "permission for another request": ("not-authenticated", permitted(request_digest=bytes(32))),
    "permission for another deed": ("not-authenticated", permitted(deed=Deed.REFUND)),
    "permission for another meter": ("not-authenticated", permitted(serial="M-2")),
    "permission for another amount": ("not-authenticated", permitted(amount=79)),
    "permission for other pieces": ("not-authenticated", permitted(pieces=bytes(32))),
    "permission for no pieces": ("not-authenticated", permitted(pieces=None)),
    "an old permission": ("stale", permitted(time=NOW - PERMISSION_TIME - 1)),
    "a permission of tomorrow": ("stale", permitted(time=NOW + CLOCK_SKEW + 1)),
    "no permission": ("tampering", franked(80, permission=b"")),
    "other pieces than permitted": ("not-authenticated", franked(80, pieces=pieces_of(40, 40))),
    "no pieces": ("malformed", franked(80, pieces=b"")),
    "a list of no pieces": ("malformed", franked(80, pieces=b"\x80")),
    "one cent too much": ("insufficient-funds", franked(1_001)),
    "in two pieces": ("insufficient-funds", franked(1_000, 1)),
    "more than a piece may have, nor is it there": ("over-limit", franked(10_001)),
    "a fund record of nothing": ("tampering", funded(0)),
    "the fund record before": ("tampering", funded(number=1)),
    "a fund record that comes later": ("tampering", funded(number=3)),
    "more than may be owed": ("over-limit", funded(5_001, is_paid=False)),
    "a settlement of what is not owed": ("over-limit", funded(is_settlement=True)),
    "a settlement that nobody paid": ("tampering", funded(is_settlement=True, is_paid=False)),
}


@pytest.mark.clause("M20")
@pytest.mark.parametrize("why", REFUSED)
async def test_what_is_refused_changes_nothing(world: Meters, customer: Customer, why: str) -> None:
    word, make = REFUSED[why]
    command = make(world, customer)
    before = world.state()
    with pytest.raises(BusRefusedError) as refused:
        await customer.change(command)
    assert (refused.value.word, world.state() == before) == (word, True)
    await customer.frank(1_000)


@pytest.mark.clause("M20")
@pytest.mark.parametrize(
    "act", [Act(bytes(31), bytes(16), None), Act(bytes(32), b"", None), Act(bytes(32), bytes(16), b"")]
)
async def test_no_request_makes_a_record_that_nobody_can_read(world: Meters, customer: Customer, act: Act) -> None:
    order = world.key_order("M-1", customer.registers.counter, Deed.STOP)
    before = world.state()
    with pytest.raises(BusRefusedError, match="malformed"):
        await customer.change(Obey(customer.record, order, act))
    assert world.state() == before


@pytest.mark.clause("M20")
async def test_of_two_faults_the_earlier_step_speaks(world: Meters, customer: Customer) -> None:
    async def word(command: Command[Changed]) -> str:
        with pytest.raises(BusRefusedError) as refused:
            await customer.change(command)
        return refused.value.word

    old = customer.record
    too_much = customer.frank_command(5_000, record=old)
    await customer.frank(10)
    assert await word(replace(too_much, record=flipped(old), permission=b"")) == "tampering"
    assert await word(replace(too_much, permission=customer.frank_command(1).permission)) == "not-authenticated"
    assert await word(too_much) == "behind"
    assert await word(customer.frank_command(5_000)) == "insufficient-funds"


@pytest.mark.clause("M24")
async def test_the_last_cent_is_spent_and_not_one_more(customer: Customer) -> None:
    await customer.frank(999)
    with pytest.raises(BusRefusedError, match="insufficient-funds"):
        await customer.frank(2)
    await customer.frank(1)
    assert (customer.registers.descending, customer.registers.ascending) == (0, 1_000)
    with pytest.raises(BusRefusedError, match="insufficient-funds"):
        await customer.frank(1)


@pytest.mark.clause("M9")
async def test_a_record_of_one_serial_is_nothing_under_another(world: Meters, customer: Customer) -> None:
    other = Customer(world, "M-2")
    await other.begin()
    await other.load(1_000)
    mine = world.vault.derive(Purpose.RECORD, "M-1", customer.meter.epoch)
    renamed = replace(other.meter, serial="M-2")
    forged = mac0.authenticate(mine, Label.METER_RECORD, [], renamed.octets())
    with pytest.raises(BusRefusedError, match="tampering"):
        await world.ask("meter-1", other.frank_command(1, record=forged))
    kek = world.vault.derive(Purpose.TOKEN, "M-1", 1)
    assert encrypt0.unseal(kek, Label.INDICIUM_KEY, ["M-1", 1], customer.meter.token_key)[0] == world.token_keys["M-1"]
    # Though it is the newest record by its standing, the token key of another meter does not open.
    order = world.meter_order("M-3", act := world.act())
    swapped = replace(opened_order(order), token_key=customer.meter.token_key)
    signed = world.signed(swapped, Label.METER_ORDER, Purpose.ORDER, "meter")
    with pytest.raises(BusRefusedError, match=r"tampering: the token key"):
        await world.ask("meter-1", Begin(signed, act))


@pytest.mark.clause("M11")
async def test_a_record_of_the_last_epoch_is_taken_and_the_next_is_of_the_newest(customer: Customer) -> None:
    world = customer.world
    first = customer.meter.epoch
    world.now = NOW + MONTH_END
    await customer.frank(10)
    assert customer.meter.epoch == first
    world.now += 1
    await customer.frank(10)
    assert customer.meter.epoch == first + 1


@pytest.mark.clause("M11")
async def test_the_epoch_does_not_go_back(customer: Customer) -> None:
    world = customer.world
    world.now = NOW + MONTH_END + 1
    await customer.frank(10)
    newest = customer.meter.epoch
    world.now -= 1
    await customer.frank(10)
    assert customer.meter.epoch == newest, "a clock that is a second behind signs in no earlier epoch"
    world.now -= 200 * DAY
    await customer.frank(10)
    assert customer.meter.epoch == newest, "a box's clock was ahead, and no key of a month before comes back by that"
    before = world.state()
    rolled_back = altered(world, customer.record, epoch=epoch_of(world.now))
    with pytest.raises(BusRefusedError, match="epoch-rollback"):
        await customer.change(customer.frank_command(10, record=rolled_back))
    assert world.state() == before


@pytest.mark.clause("M11", "M29")
async def test_money_by_a_clock_that_was_ahead_is_taken(customer: Customer) -> None:
    await customer.load(50, epoch=epoch_of(NOW) + 7)
    assert customer.meter.epoch == epoch_of(NOW)


@pytest.mark.clause("M31")
async def test_a_day_that_has_not_come_is_today_by_an_operators_word(customer: Customer) -> None:
    world = customer.world
    today = NOW // DAY
    world.now = NOW + 10 * DAY
    await customer.frank(10)
    world.now = NOW
    # A clock that was put back gives no second day.
    await customer.frank(10)
    assert (customer.meter.limits.spent, customer.meter.limits.day) == (20, today + 10)
    tight = replace(customer.meter.limits, daily=25)
    await customer.obey(Deed.CHANGE, limits=tight)
    assert customer.meter.limits == replace(tight, spent=20, day=today)
    with pytest.raises(BusRefusedError, match=r"over-limit: at most [^;]*a day$"):
        await customer.frank(10)
    world.now = NOW + DAY
    await customer.frank(20)


@pytest.mark.clause("M29")
async def test_it_is_said_how_long_a_day_lasts_that_a_clock_has_begun_too_early(customer: Customer) -> None:
    world = customer.world
    world.now = NOW + 10 * DAY
    await customer.obey(Deed.CHANGE, limits=replace(customer.meter.limits, daily=15))
    await customer.frank(10)
    world.now = NOW
    last = datetime.fromtimestamp(NOW + 10 * DAY, UTC).date()
    with pytest.raises(BusRefusedError, match=f"over-limit: .*for a day; all days until {last} are one$") as refused:
        await customer.frank(10)
    assert len(refused.value.why) <= REFUSAL_LIMIT


@pytest.mark.clause("M13")
async def test_codes_are_compared_in_constant_time(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    command = customer.frank_command(80)
    record, permission = command.record[-32:], command.permission[-32:]
    monkeypatch.setattr(hmac, "compare_digest", compare)
    (made,) = (await customer.change(command)).indicia
    # The codes of record and permission, and the record with the standing.
    assert [one for one, _ in compared[:2]] == [record, permission]
    assert compared[2][0] == mac0.unchecked_payload(command.record)
    compared.clear()
    await customer.look(Made(made.indicium, bytes(16)))
    assert (made.token, bytes(16)) in compared


def fields(record: MeterRecord) -> list[tuple[str, Any]]:
    """Every element of a record, and of what is in it, with another value."""
    limits, registers = record.limits, record.registers
    parts: dict[str, Any] = {
        "serial": "M-9", "account": bytes(16), "value_kind": "kwh-milli", "state": MeterState.STOPPED, "funds": 0,
        "key_version": 2, "token_key": flipped(record.token_key), "last": bytes(32), "time": record.time + 1,
        "epoch": record.epoch - 1, "fee": record.fee + 1,
    }  # fmt: skip
    changed = list(parts.items())
    changed += [("registers", replace(registers, **{name: getattr(registers, name) + 1})) for name in
                ("counter", "ascending", "descending", "pieces", "loads", "owed")]  # fmt: skip
    changed += [("limits", replace(limits, **{name: getattr(limits, name) + 1})) for name in
                ("piece", "daily", "credit", "spent", "day")]  # fmt: skip
    fresh = record.freshness
    for name, value in (("kind", Freshness(fresh.kind % 3 + 1)), ("random", b"another of all."), ("time", 1)):
        changed.append(("freshness", replace(fresh, **{name: value})))
    return changed


@pytest.mark.clause("M23")
@pytest.mark.parametrize("kind", Freshness)
async def test_every_field_that_staff_change_is_found(world: Meters, kind: Freshness) -> None:
    customer = Customer(world)
    await customer.begin(kind)
    await customer.load(1_000)
    code = customer.record[-32:]
    before = world.state()
    changed = fields(customer.meter)
    assert {name for name, _ in changed} == set(MeterRecord.__struct_fields__)
    for name, value in changed:
        record = replace(customer.meter, **{name: value})
        forged = mac0.authenticate(bytes(32), Label.METER_RECORD, [], record.octets())[:-32] + code
        with pytest.raises(BusRefusedError, match="tampering"):
            await world.ask("meter-1", customer.frank_command(1, record=forged))
    assert world.state() == before


@pytest.mark.clause("M23")
async def test_every_bit_of_a_record_counts(world: Meters, customer: Customer) -> None:
    command = customer.frank_command(1)
    before = world.state()
    for at in range(0, 8 * len(command.record), 7):
        flipped = bytearray(command.record)
        flipped[at // 8] ^= 1 << at % 8
        with pytest.raises(BusRefusedError, match=r"tampering|epoch-rollback"):
            await world.ask("meter-1", replace(command, record=bytes(flipped)))
    assert world.state() == before


def opened_order(signed: bytes) -> MeterOrder:
    return read(MeterOrder, mac0.unchecked_payload(signed))


@pytest.mark.clause("M4")
async def test_what_goes_to_the_second_is_not_for_others(world: Meters, customer: Customer) -> None:
    with pytest.raises(BusRefusedError, match="not-yours"):
        await world.ask("meter-2", Keep(1, ()))

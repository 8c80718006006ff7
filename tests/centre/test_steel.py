"""The steel box: serials, keys and orders for new meters and mailers; no key leaves it (M4, M8, M9, M14)."""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fob_office.centre.boxes.orders import read_order
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.steel.owners import Owner, OwnersKey, seal_owners_key
from fob_office.centre.boxes.steel.serials import box_number, check_digit, make_serial
from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.steel import GiveKey, OrderKey, OrderMeter, OrderUser, SetNewMeters
from fob_office.errors import OperatorError
from fob_protocol.cose import encrypt0, hpke, mac0
from fob_protocol.cose.cbor import encode
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.headers import Context
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed, Freshness
from fob_protocol.metering.records import Limits
from fob_protocol.metering.vouchers import KeyOrder, MeterOrder, UserOrder
from fob_protocol.noise.keys import KeyPair
from support.centre_key_boxes import EUR, KeyBoxes, key_boxes, owners_secret

ACCOUNT = b"a mailer's name."
REQUEST = b"H of what a device has asked for"
LIMITS = Limits(piece=500, daily=9_000, credit=700, spent=0, day=0)
DEVICE = KeyPair.from_private_bytes(bytes(range(32)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[KeyBoxes]:
    async with key_boxes(tmp_path, "steel-1", "meter-1") as made:
        yield made


async def ordered(world: KeyBoxes, value_kind: str = EUR, box: str = "steel-1") -> MeterOrder:
    """A new meter, as a meter box reads the order."""
    order = (await world.ask(box, OrderMeter(ACCOUNT, value_kind, REQUEST))).order
    return read_order(world.open["meter-1"].vault, MeterOrder, order)


def token_key(world: KeyBoxes, order: MeterOrder) -> bytes:
    """As a meter box unwraps it."""
    kek = world.open["meter-1"].vault.derive(Purpose.TOKEN, order.serial, order.key_version)
    return encrypt0.unseal(kek, Label.INDICIUM_KEY, [order.serial, order.key_version], order.token_key)[0]


@pytest.mark.clause("M8")
async def test_a_token_key_is_of_both_keys_and_the_serial(world: KeyBoxes) -> None:
    await world.give_keys()
    order = await ordered(world)
    both = owners_secret("vendor", EUR, 1) + owners_secret("postal", EUR, 1)
    info = encode(["fob/1 token key", 1])
    assert token_key(world, order) == HKDF(SHA256(), 32, order.serial.encode(), info).derive(both)
    assert (order.account, order.value_kind, order.request_digest, order.key_version) == (ACCOUNT, EUR, REQUEST, 1)
    assert order.time == world.boxes.now


@pytest.mark.clause("M8")
@pytest.mark.parametrize("owner", Owner)
async def test_one_of_the_two_keys_is_not_enough(world: KeyBoxes, owner: Owner) -> None:
    await world.give_key(owner)
    with pytest.raises(BusRefusedError, match="no-keys"):
        await ordered(world)
    (other,) = set(Owner) - {owner}
    await world.give_key(other, version=2)
    with pytest.raises(BusRefusedError, match="no-keys"):
        await ordered(world)


async def test_a_new_version_begins_when_both_keys_of_it_are_there(world: KeyBoxes) -> None:
    await world.give_keys(version=1)
    await world.give_key(Owner.POSTAL, version=2)
    assert (await ordered(world)).key_version == 1
    await world.give_key(Owner.VENDOR, version=2)
    before = await ordered(world)
    assert before.key_version == 2
    # What was given stays given.
    await world.stop("steel-1")
    await world.start("steel-1")
    await world.give_keys(version=1)
    after = await ordered(world)
    assert after.key_version == 2
    assert token_key(world, after) != token_key(world, before)


async def test_a_key_that_was_given_does_not_change(world: KeyBoxes) -> None:
    await world.give_keys()
    await world.give_key(Owner.VENDOR)
    with pytest.raises(BusRefusedError, match="key-given"):
        await world.give_key(Owner.VENDOR, secret=b"another one of thirty-two octets")


WRONG = {
    "another owner": ("postal", EUR, 1),
    "nobody": ("customer", EUR, 1),
    "another value kind": ("vendor", "kwh-milli", 1),
    "another version": ("vendor", EUR, 2),
    "no version": ("vendor", EUR, 0),
}


@pytest.mark.parametrize("why", WRONG)
async def test_a_key_is_sealed_to_what_it_is_for(world: KeyBoxes, why: str) -> None:
    key = OwnersKey(Owner.VENDOR, EUR, 1, bytes(32))
    sealed = seal_owners_key(world.sealing_key("steel-1"), key)
    with pytest.raises(BusRefusedError, match="malformed"):
        await world.ask("steel-1", GiveKey(*WRONG[why], sealed), Kind.OPERATOR)


async def test_a_key_of_another_size_or_for_another_box_is_refused(world: KeyBoxes) -> None:
    for receiver, secret in ((world.sealing_key("steel-1"), b"short"), (DEVICE.public, bytes(32))):
        sealed = seal_owners_key(receiver, OwnersKey(Owner.VENDOR, EUR, 1, secret))
        with pytest.raises(BusRefusedError, match="malformed"):
            await world.ask("steel-1", GiveKey("vendor", EUR, 1, sealed), Kind.OPERATOR)


@pytest.mark.clause("M9")
async def test_every_meter_has_a_key_of_its_own_wrapped_by_one_of_its_own(world: KeyBoxes) -> None:
    await world.give_keys()
    one, other = await ordered(world), await ordered(world)
    assert one.serial != other.serial
    assert token_key(world, one) != token_key(world, other)
    vault = world.open["meter-1"].vault
    for serial, version in ((other.serial, 1), (one.serial, 2)):
        for kek in (vault.derive(Purpose.TOKEN, serial, version), vault.derive(Purpose.TOKEN, one.serial, 1)):
            with pytest.raises(CoseError):
                encrypt0.unseal(kek, Label.INDICIUM_KEY, [serial, version], one.token_key)


async def test_serials_are_never_given_twice(world: KeyBoxes) -> None:
    await world.give_keys()
    serials = [(await ordered(world)).serial for _ in range(3)]
    assert serials == [make_serial(1, counter) for counter in (1, 2, 3)]
    await world.stop("steel-1")
    await world.start("steel-1")
    assert (await ordered(world)).serial == make_serial(1, 4)


async def test_boxes_number_by_themselves(tmp_path: Path) -> None:
    async with key_boxes(tmp_path, "steel-1", "steel-23", "meter-1") as world:
        for box in ("steel-1", "steel-23"):
            await world.give_keys(box=box)
        serials = [(await ordered(world, box=box)).serial for box in ("steel-1", "steel-23")]
    assert serials == ["FM01000000014", "FM23000000019"]


def test_the_check_digit_is_that_of_the_standard() -> None:
    # The example of ISO/IEC 7064 for MOD 11,10.
    assert check_digit("0794") == "5"
    seeded = random.Random(3)
    for _ in range(50):
        digits = [seeded.randrange(10) for _ in range(10)]
        right = check_digit("".join(map(str, digits)))
        for place in range(10):
            wrong = [*digits]
            wrong[place] = (wrong[place] + seeded.randrange(1, 10)) % 10
            assert check_digit("".join(map(str, wrong))) != right


def test_a_box_without_a_number_numbers_no_meters() -> None:
    assert (box_number("steel"), box_number("steel-7"), box_number("steel-99")) == (0, 7, 99)
    for name in ("steel-0", "steel-100", "steel-x", "iron-1", "steel-07", "steel-1\n"):
        with pytest.raises(OperatorError, match="cannot number meters"):
            box_number(name)


async def test_new_meters_begin_as_the_operator_says(world: KeyBoxes) -> None:
    await world.give_keys()
    before = await ordered(world)
    assert (before.freshness, before.limits.credit) == (Freshness.RANDOM, 0)
    await world.ask("steel-1", SetNewMeters(EUR, Freshness.TIME, LIMITS.octets()), Kind.OPERATOR)
    await world.stop("steel-1")
    await world.start("steel-1")
    order = await ordered(world)
    assert (order.freshness, order.limits) == (Freshness.TIME, LIMITS)


@pytest.mark.parametrize(
    "command",
    [
        SetNewMeters("Not a name", Freshness.TIME, LIMITS.octets()),
        SetNewMeters(EUR, 4, LIMITS.octets()),
        SetNewMeters(EUR, Freshness.TIME, LIMITS.octets() + b"\0"),
    ],
)
async def test_a_beginning_that_no_meter_has_is_refused(world: KeyBoxes, command: SetNewMeters) -> None:
    with pytest.raises(BusRefusedError, match="malformed"):
        await world.ask("steel-1", command, Kind.OPERATOR)


@pytest.mark.clause("M14")
async def test_a_user_authentication_key_reaches_the_device_and_the_authentication_boxes(tmp_path: Path) -> None:
    async with key_boxes(tmp_path, "steel-1", "authentication-1") as world:
        given = await world.ask("steel-1", OrderUser(None, DEVICE.public, REQUEST))
        again = await world.ask("steel-1", OrderUser(None, DEVICE.public, REQUEST))
        vault = world.open["authentication-1"].vault
        order = read_order(vault, UserOrder, given.order)
        kek = vault.derive(Purpose.USER, order.account)
    assert (order.request_digest, order.sealing_key, len(order.account)) == (REQUEST, DEVICE.public, 16)
    # The account is the sign-up, also where it is asked again; the key is another one.
    assert order.account == read_order(vault, UserOrder, again.order).account == REQUEST[:16]
    assert order.key != read_order(vault, UserOrder, again.order).key
    label = Label.USER_AUTHENTICATION_KEY
    key = hpke.unseal_with(DEVICE.private, label, [order.account], given.key)
    assert encrypt0.unseal(kek, label, ["wrapped", order.account], order.key)[0] == key
    assert len(key) == 32
    contexts: tuple[Context, ...] = ([order.account], ["wrapped", ACCOUNT])
    for context in contexts:
        with pytest.raises(CoseError):
            encrypt0.unseal(kek, label, context, order.key)


async def test_a_known_account_gets_another_key(tmp_path: Path) -> None:
    async with key_boxes(tmp_path, "steel-1", "authentication-1") as world:
        given = [await world.ask("steel-1", OrderUser(ACCOUNT, DEVICE.public, REQUEST)) for _ in range(2)]
        orders = [read_order(world.open["authentication-1"].vault, UserOrder, each.order) for each in given]
    assert [order.account for order in orders] == [ACCOUNT, ACCOUNT]
    keys = {hpke.unseal_with(DEVICE.private, Label.USER_AUTHENTICATION_KEY, [ACCOUNT], each.key) for each in given}
    assert len(keys) == 2


@pytest.mark.clause("M31")
@pytest.mark.parametrize("deed", [Deed.STOP, Deed.RESUME, Deed.WITHDRAW, Deed.CHANGE])
async def test_an_operator_orders(world: KeyBoxes, deed: Deed) -> None:
    limits = LIMITS if deed is Deed.CHANGE else None
    command = OrderKey(deed, "FM01000000014", 17, None if limits is None else limits.octets())
    signed = (await world.ask("steel-1", command, Kind.OPERATOR)).order
    order = read_order(world.open["meter-1"].vault, KeyOrder, signed)
    assert order == KeyOrder(deed, "FM01000000014", 17, limits, world.boxes.now)


MALFORMED: dict[str, Command[Any]] = {
    "an account of another size": OrderMeter(b"short", EUR, REQUEST),
    "H of another size": OrderMeter(ACCOUNT, EUR, b"short"),
    "no key to seal to": OrderUser(None, b"short", REQUEST),
    "a key that everybody knows": OrderUser(None, bytes(32), REQUEST),
    "a user's account of another size": OrderUser(b"short", DEVICE.public, REQUEST),
    "a mailer's deed": OrderKey(Deed.FRANK, "FM01000000014", 1, None),
    "no deed": OrderKey(77, "FM01000000014", 1, None),
    "a change of nothing": OrderKey(Deed.CHANGE, "FM01000000014", 1, None),
    "a stop with limits": OrderKey(Deed.STOP, "FM01000000014", 1, LIMITS.octets()),
    "limits that are none": OrderKey(Deed.CHANGE, "FM01000000014", 1, b"\x80"),
    "no serial": OrderKey(Deed.STOP, "not a serial", 1, None),
    "a counter below zero": OrderKey(Deed.STOP, "FM01000000014", -1, None),
}


@pytest.mark.parametrize("why", MALFORMED)
async def test_what_makes_no_order_is_refused(world: KeyBoxes, why: str) -> None:
    await world.give_keys()
    command = MALFORMED[why]
    kind = Kind.OPERATOR if isinstance(command, OrderKey) else Kind.FUNCTION
    with pytest.raises(BusRefusedError, match="malformed"):
        await world.ask("steel-1", command, kind)


async def test_a_value_kind_that_nobody_gave_keys_for_is_refused(world: KeyBoxes) -> None:
    await world.give_keys()
    with pytest.raises(BusRefusedError, match="no-keys"):
        await ordered(world, "kwh-milli")


@pytest.mark.clause("M4")
async def test_orders_of_one_kind_are_nothing_as_another(world: KeyBoxes) -> None:
    await world.give_keys()
    vault = world.open["meter-1"].vault
    meter = (await world.ask("steel-1", OrderMeter(ACCOUNT, EUR, REQUEST))).order
    key = (await world.ask("steel-1", OrderKey(Deed.STOP, "FM01000000014", 1, None), Kind.OPERATOR)).order
    for kind, label, order in (("user", Label.METER_ORDER, meter), ("meter", Label.KEY_ORDER, key)):
        with pytest.raises(CoseError):
            mac0.check(vault.derive(Purpose.ORDER, kind), label, [], order)
    with pytest.raises(BusRefusedError, match="tampering"):
        read_order(vault, KeyOrder, meter)


async def test_no_secret_is_shown(world: KeyBoxes, capsys: pytest.CaptureFixture[str]) -> None:
    await world.give_keys()
    order = await ordered(world)
    secrets = [owners_secret(owner, EUR, 1) for owner in Owner] + [token_key(world, order)]
    key = OwnersKey(Owner.VENDOR, EUR, 1, secrets[0])
    sealed = seal_owners_key(world.sealing_key("steel-1"), key)
    with pytest.raises(BusRefusedError) as refused:
        await world.ask("steel-1", GiveKey("postal", EUR, 1, sealed), Kind.OPERATOR)
    shown = [repr(key), repr(world.open["steel-1"]), repr(refused.value), *capsys.readouterr()]
    for secret in secrets:
        assert not any(secret.hex() in text or repr(secret) in text for text in shown)

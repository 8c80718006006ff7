"""A new mailer gets a record: one for one request of one device, with a password of its own."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from centre.authentication.asking import load, opened
from fob_office.centre.boxes.authentication.passwords import COST
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.authentication import RecordUser
from fob_office.centre.commands.steel import OrderUser
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.limits import CLOCK_SKEW, PASSWORD_LEAST, PASSWORD_LIMIT, REQUEST_TIME
from fob_protocol.office.hashing import digest
from support.centre_key_boxes import KeyBoxes, MailerDevice, key_boxes, user_of
from support.octets import octet_flips


@pytest.mark.clause("M30")
async def test_a_mailer_gets_a_record(world: KeyBoxes) -> None:
    anna = MailerDevice(world)
    request = anna.sign_up()
    await anna.signs_up(request)
    record = user_of(anna.record)
    assert (record.name, record.counter, record.is_active) == ("Anna", 1, True)
    assert (record.payment, record.refill, record.origins) == (Payment.PREPAID, request.refill, ("20095", "10115"))
    assert record.holder == anna.signing.public_key().public_bytes_raw()
    assert record.last == digest(request.octets())
    assert (record.time, record.epoch) == (anna.now, epoch_of(anna.now))
    assert record.verifier.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert opened(world, anna, await anna.permit(load(anna))).amount == 2_000


async def test_a_password_is_guessed_at_a_price() -> None:
    assert COST == (3, 64 * 1024, 1)


@pytest.mark.parametrize("size", [PASSWORD_LEAST - 1, PASSWORD_LIMIT + 1])
async def test_a_password_has_its_size(world: KeyBoxes, size: int) -> None:
    anna = MailerDevice(world)
    with pytest.raises(BusRefusedError, match="malformed: a password has 12 to 128 characters"):
        await anna.signs_up(anna.sign_up("ü" * size))
    await anna.signs_up(anna.sign_up("u\u0308" * PASSWORD_LEAST))


async def test_an_order_is_for_one_request_of_one_device(world: KeyBoxes) -> None:
    anna, eve = MailerDevice(world), MailerDevice(world, seed=6)
    request = anna.sign_up()
    signed = request.signed(anna.signing)
    # Eve, a function server, has the key sealed to herself.
    for sealing, own in ((eve.sealing.public, request), (anna.sealing.public, anna.sign_up())):
        given = await world.ask("steel-1", OrderUser(None, sealing, digest(own.octets())))
        with pytest.raises(BusRefusedError, match="tampering"):
            await world.ask("authentication-1", RecordUser(given.order, signed))


async def test_every_bit_of_an_order_counts(world: KeyBoxes) -> None:
    anna = MailerDevice(world)
    request = anna.sign_up()
    order = (await world.ask("steel-1", OrderUser(None, request.sealing_key, digest(request.octets())))).order
    for flipped in octet_flips(order):
        with pytest.raises(BusRefusedError, match="tampering"):
            await world.ask("authentication-1", RecordUser(flipped, request.signed(anna.signing)))


async def test_a_sign_up_is_signed_by_the_device_in_it(world: KeyBoxes) -> None:
    anna = MailerDevice(world)
    request = anna.sign_up()
    order = (await world.ask("steel-1", OrderUser(None, request.sealing_key, digest(request.octets())))).order
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    with pytest.raises(BusRefusedError, match="not-authenticated"):
        await world.ask("authentication-1", RecordUser(order, request.signed(other)))
    with pytest.raises(BusRefusedError, match=r"malformed|not-authenticated"):
        await world.ask("authentication-1", RecordUser(order, anna.sign_on().signed(anna.signing)))


async def test_a_password_is_for_one_request_of_one_device(world: KeyBoxes) -> None:
    anna, eve = MailerDevice(world), MailerDevice(world, seed=6)
    stolen = anna.sign_up().password
    request = replace(eve.sign_up(), password=stolen)
    with pytest.raises(BusRefusedError, match="malformed: the password"):
        await eve.signs_up(request)


async def test_an_origin_is_a_place(world: KeyBoxes) -> None:
    anna = MailerDevice(world)
    with pytest.raises(BusRefusedError, match="wrong-origin"):
        await anna.signs_up(anna.sign_up(origins=("20095", "<b>")))


@pytest.mark.clause("M14", "M22")
async def test_a_first_record_is_of_the_sign_up_that_made_the_account(tmp_path: Path) -> None:
    """Staff at a function server: an order for somebody's account, at a box that has never seen it."""
    async with key_boxes(tmp_path, "steel-1", "authentication-1", "authentication-2", "meter-1") as world:
        anna, eve = MailerDevice(world), MailerDevice(world, seed=6)
        await anna.signs_up()
        request = eve.sign_up(box="authentication-2")
        asked = OrderUser(anna.account, request.sealing_key, digest(request.octets()))
        order = (await world.ask("steel-1", asked)).order
        with pytest.raises(BusRefusedError, match="tampering: a first record, for an account of another sign-up"):
            await world.ask("authentication-2", RecordUser(order, request.signed(eve.signing)))


@pytest.mark.clause("M22")
async def test_a_sign_up_makes_no_record_again_once_its_account_was_seen(world: KeyBoxes, anna: MailerDevice) -> None:
    first = anna.sign_up()
    await anna.signs_up(first)
    # Nobody was shown the record: the function server died with it in its hand.
    await anna.signs_up(first)
    await anna.permit(load(anna))
    with pytest.raises(BusRefusedError, match="tampering"):
        await anna.signs_up(first)


@pytest.mark.parametrize("late", [REQUEST_TIME + 1, -CLOCK_SKEW - 1])
async def test_a_sign_up_has_its_time(world: KeyBoxes, late: int) -> None:
    anna = MailerDevice(world)
    with pytest.raises(BusRefusedError, match="stale"):
        await anna.signs_up(anna.sign_up(time=anna.now - late))

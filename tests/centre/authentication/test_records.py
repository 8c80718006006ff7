"""What staff do to the record of a mailer is found, and an older one is refused (M22, M23)."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from centre.authentication.asking import load, signed_record
from fob_office.centre.bus.errors import BusRefusedError
from fob_protocol.cose import mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.kinds import Payment
from fob_protocol.metering.records import UserRecord
from support.centre_key_boxes import KeyBoxes, MailerDevice, user_of
from support.octets import octet_flips

DAY = 24 * 3600


@pytest.mark.clause("M23")
async def test_every_field_that_staff_change_is_found(world: KeyBoxes, anna: MailerDevice) -> None:
    record = user_of(anna.record)
    changed: dict[str, Any] = {
        "account": bytes(16), "name": "Bert", "verifier": "$argon2id$v=19$m=8,t=1,p=1$YQ$YQ", "key": b"another",
        "holder": bytes(32), "is_active": False, "counter": 2, "payment": Payment.POSTPAID, "refill": None,
        "origins": ("99999",), "last": bytes(32), "time": 0, "epoch": record.epoch - 1,
    }  # fmt: skip
    assert set(changed) == set(UserRecord.__struct_fields__)
    for name, value in changed.items():
        forged = mac0.authenticate(bytes(32), Label.USER_RECORD, [], replace(record, **{name: value}).octets())
        with pytest.raises(BusRefusedError, match="tampering"):
            await anna.permit(load(anna), record=forged[:-32] + anna.record[-32:])
    await anna.permit(load(anna))


@pytest.mark.clause("M23")
async def test_every_bit_of_a_record_counts(anna: MailerDevice) -> None:
    for flipped in octet_flips(anna.record):
        with pytest.raises(BusRefusedError, match="tampering"):
            await anna.permit(load(anna), record=flipped)


@pytest.mark.clause("M22")
async def test_every_older_record_is_refused(world: KeyBoxes, anna: MailerDevice) -> None:
    records = [anna.record]
    for _ in range(3):
        records.append(await anna.signs_on(record=records[-1]))
    await anna.permit(load(anna))
    await world.stop("authentication-1")
    await world.start("authentication-1")
    for older in records[:-1]:
        for asked in (anna.permit(load(anna), record=older), anna.signs_on(record=older)):
            with pytest.raises(BusRefusedError, match="tampering"):
                await asked


@pytest.mark.clause("M22")
async def test_two_records_with_one_counter_are_not_both_the_newest(world: KeyBoxes, anna: MailerDevice) -> None:
    first = anna.record
    one = await anna.signs_on(record=first)
    other = await anna.signs_on(record=first)
    await anna.permit(load(anna))
    assert user_of(one).counter == user_of(other).counter
    with pytest.raises(BusRefusedError, match="tampering"):
        await anna.permit(load(anna), record=one)


@pytest.mark.clause("M33")
async def test_a_record_that_was_never_stored_locks_nobody_out(world: KeyBoxes, anna: MailerDevice) -> None:
    first, key = anna.record, anna.key
    # The function server dies with the new record in its hand.
    await anna.signs_on(record=first)
    anna.key = key
    await anna.permit(load(anna), record=first)
    await anna.signs_on(record=first)
    await anna.permit(load(anna))


@pytest.mark.clause("M22")
async def test_records_that_come_at_once_leave_the_newest(world: KeyBoxes, anna: MailerDevice) -> None:
    record = user_of(anna.record)
    shown = [signed_record(world, replace(record, counter=counter)) for counter in (5, 7, 6, 4)]
    await asyncio.gather(*(anna.permit(load(anna), record=each) for each in shown), return_exceptions=True)
    for older in (shown[0], shown[2], shown[3]):
        with pytest.raises(BusRefusedError, match="tampering"):
            await anna.permit(load(anna), record=older)
    assert await anna.permit(load(anna), record=shown[1])


@pytest.mark.clause("M11")
async def test_a_record_of_an_earlier_epoch_is_taken_and_the_next_is_of_the_newest(
    world: KeyBoxes, anna: MailerDevice
) -> None:
    before = anna.record
    world.boxes.now += 62 * DAY
    assert await anna.permit(load(anna))
    await anna.signs_on(record=before)
    assert user_of(anna.record).epoch == epoch_of(anna.now) == user_of(before).epoch + 2
    newest = anna.record
    # A clock was ahead: the record is good, the mailer signs on, and no key of a month before comes back by that.
    world.boxes.now -= 62 * DAY
    assert await anna.permit(load(anna))
    await anna.signs_on(record=newest)
    assert user_of(anna.record).epoch == user_of(newest).epoch


@pytest.mark.clause("M9")
async def test_a_record_of_one_account_is_nothing_under_another(world: KeyBoxes, anna: MailerDevice) -> None:
    bert = MailerDevice(world, "Bert", seed=6)
    await bert.signs_up()
    moved = signed_record(world, replace(user_of(anna.record), key=user_of(bert.record).key))
    with pytest.raises(BusRefusedError, match="tampering: the user authentication key"):
        await anna.permit(load(anna), record=moved)

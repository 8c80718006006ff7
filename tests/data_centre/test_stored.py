"""What the meters' database holds: no key in clear, and nothing of a transaction that no box vouches for (M7, M10)."""

from collections.abc import AsyncIterator

import pytest

from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_protocol.cose import encrypt0, mac0
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.records import MeterRecord, UserRecord
from fob_protocol.office.message import read
from support.data_centre import DataCentre
from support.mailers import Mailer
from support.stored import records_of


@pytest.fixture
async def anna(centre: DataCentre) -> AsyncIterator[Mailer]:
    """She has franked a letter."""
    async with centre.function_server() as (server, _):
        mailer = Mailer(centre, server)
        await mailer.sign_up()
        await mailer.load(1_000)
        await mailer.frank(85)
        yield mailer


def _vault(centre: DataCentre, box: str) -> Vault:
    return centre.boxes.open(box).vault


@pytest.mark.clause("M7")
async def test_no_key_and_no_password_stands_in_the_database_in_clear(centre: DataCentre, anna: Mailer) -> None:
    meter, user = records_of(centre, anna.serial)
    record = read(MeterRecord, mac0.unchecked_payload(meter))
    kek = _vault(centre, "meter-1").derive(Purpose.TOKEN, record.serial, record.key_version)
    token_key, _ = encrypt0.unseal(kek, Label.INDICIUM_KEY, [record.serial, record.key_version], record.token_key)
    stored = b"".join(path.read_bytes() for path in (centre.folder / "database-1").glob("meters.db*"))
    assert record.token_key in stored
    assert token_key[-32:] not in stored
    assert anna.key not in stored
    assert b"correct horse" not in stored
    assert b"correct horse" not in user


@pytest.mark.clause("M7")
async def test_registers_freshness_and_time_of_a_transaction_are_what_the_box_signed(
    centre: DataCentre, anna: Mailer
) -> None:
    meter, _ = records_of(centre, anna.serial)
    record = read(MeterRecord, mac0.unchecked_payload(meter))
    key = _vault(centre, "meter-1").derive(Purpose.RECORD, record.serial, record.epoch)
    signed = read(MeterRecord, mac0.check(key, Label.METER_RECORD, [], meter))
    assert (signed.registers.counter, signed.registers.ascending, signed.registers.descending) == (3, 85, 915)
    assert (signed.time, signed.freshness.kind) == (centre.now, centre.freshness)


@pytest.mark.clause("M10")
async def test_a_key_that_signs_several_kinds_of_records_makes_none_pass_for_another(
    centre: DataCentre, anna: Mailer
) -> None:
    meter, user = records_of(centre, anna.serial)
    record = read(MeterRecord, mac0.unchecked_payload(meter))
    mailer = read(UserRecord, mac0.unchecked_payload(user))
    keys = {
        Label.METER_RECORD: _vault(centre, "meter-1").derive(Purpose.RECORD, record.serial, record.epoch),
        Label.USER_RECORD: _vault(centre, "authentication-1").derive(Purpose.USER_RECORD, mailer.account, mailer.epoch),
    }
    for label, octets in ((Label.METER_RECORD, meter), (Label.USER_RECORD, user)):
        # Who signs also verifies ...
        mac0.check(keys[label], label, [], octets)
        for other in set(Label) - {label}:
            # ... and the very same key takes it for nothing else.
            with pytest.raises(CoseError):
                mac0.check(keys[label], other, [], octets)

"""A new device takes the place of the one before; guessing at passwords is slow (M14, M19)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec.structs import replace

from centre.authentication.asking import load, opened, signed_record
from fob_office.centre.boxes.authentication.attempts import FIRST_SIGN_ON_PAUSE, FREE_TRIES, LONGEST_SIGN_ON_PAUSE
from fob_office.centre.boxes.authentication.passwords import IN_HAND_LIMIT, Passwords
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.authentication import SignOn
from fob_office.centre.commands.steel import OrderUser
from fob_protocol.office.hashing import digest
from support.centre_key_boxes import PASSWORD, KeyBoxes, MailerDevice, user_of
from support.octets import flipped

DAY = 24 * 3600


@pytest.mark.clause("M14")
async def test_a_new_device_takes_the_place_of_the_one_before(world: KeyBoxes, anna: MailerDevice) -> None:
    new = MailerDevice(world, seed=6)
    request = new.sign_on()
    await new.signs_on(request, anna.record)
    before, after = user_of(anna.record), user_of(new.record)
    assert after.holder == new.signing.public_key().public_bytes_raw() != before.holder
    assert after == replace(before, key=after.key, holder=after.holder, counter=2, last=digest(request.octets()))
    assert opened(world, new, await new.permit(load(new))).account == anna.account
    with pytest.raises(BusRefusedError, match="not-authenticated"):
        await anna.permit(load(anna), record=new.record)
    with pytest.raises(BusRefusedError, match="tampering"):
        await anna.permit(load(anna))


async def test_a_name_is_written_as_people_like(world: KeyBoxes, anna: MailerDevice) -> None:
    new = MailerDevice(world, " ANNA ", seed=6)
    await new.signs_on(record=anna.record)
    assert user_of(new.record).name == "Anna"


async def test_a_wrong_password_and_a_name_that_nobody_has_are_answered_alike(
    world: KeyBoxes, anna: MailerDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = MailerDevice(world, seed=6)
    worked: list[str] = []
    real = Passwords._work

    async def counted(self: Passwords, work: Callable[[], Any]) -> Any:
        worked.append("")
        return await real(self, work)

    monkeypatch.setattr(Passwords, "_work", counted)
    answers = []
    for record in (anna.record, None):
        for _ in range(FREE_TRIES + 1):
            with pytest.raises(BusRefusedError) as refused:
                await eve.signs_on(eve.sign_on("a guess at a password"), record)
            answers.append((refused.value.word, refused.value.why))
    known, nobody = answers[: FREE_TRIES + 1], answers[FREE_TRIES + 1 :]
    assert known == nobody
    assert [word for word, _ in known] == ["not-authenticated"] * FREE_TRIES + ["locked"]
    assert len(worked) == 2 * FREE_TRIES


@pytest.mark.clause("M19")
async def test_guessing_is_paused_longer_and_longer_and_never_for_ever(world: KeyBoxes, anna: MailerDevice) -> None:
    async def guess() -> str:
        with pytest.raises(BusRefusedError) as refused:
            await anna.signs_on(anna.sign_on("a guess at a password"), record)
        return str(refused.value.word)

    record = anna.record
    assert [await guess() for _ in range(FREE_TRIES + 1)] == ["not-authenticated"] * FREE_TRIES + ["locked"]
    # A kill gives no try back.
    await world.stop("authentication-1")
    await world.start("authentication-1")
    pause = FIRST_SIGN_ON_PAUSE
    for _ in range(8):
        world.boxes.now += pause - 1
        assert await guess() == "locked"
        world.boxes.now += 1
        assert await guess() == "not-authenticated"
        pause = min(2 * pause, LONGEST_SIGN_ON_PAUSE)
    # Franking goes on, and the right one ends it.
    assert await anna.permit(load(anna))
    world.boxes.now += LONGEST_SIGN_ON_PAUSE
    await anna.signs_on(record=record)
    record = anna.record
    assert [await guess() for _ in range(FREE_TRIES)] == ["not-authenticated"] * FREE_TRIES


async def test_a_clock_that_was_put_back_locks_nobody_out(world: KeyBoxes, anna: MailerDevice) -> None:
    world.boxes.now += 40 * DAY
    for _ in range(FREE_TRIES):
        with pytest.raises(BusRefusedError, match="not-authenticated"):
            await anna.signs_on(anna.sign_on("a guess at a password"), anna.record)
    world.boxes.now -= 40 * DAY
    await anna.signs_on(record=anna.record)


@pytest.mark.clause("M7", "M19")
async def test_what_the_database_has_of_a_password_is_guessed_at_by_nobody(world: KeyBoxes, anna: MailerDevice) -> None:
    verifier = user_of(anna.record).verifier
    bert = MailerDevice(world, "Bert", seed=6)
    await bert.signs_up()
    # The right password, by whoever has the record or a backup; also with a record of his own, or another box's keys.
    for key in (None, bytes(32), world.open["steel-1"].vault.derive(Purpose.USER, anna.account)):
        with pytest.raises(InvalidKey):
            Argon2id.verify_phc_encoded(PASSWORD.encode(), verifier, secret=key)
    keys = [world.open["authentication-1"].vault.derive(Purpose.PASSWORD, who.account) for who in (anna, bert)]
    Argon2id.verify_phc_encoded(PASSWORD.encode(), verifier, secret=keys[0])
    with pytest.raises(InvalidKey):
        Argon2id.verify_phc_encoded(PASSWORD.encode(), verifier, secret=keys[1])


async def test_guesses_at_once_count_each(world: KeyBoxes, anna: MailerDevice) -> None:
    guesses = [anna.signs_on(anna.sign_on("a guess at a password"), anna.record) for _ in range(20)]
    ended = await asyncio.gather(*guesses, return_exceptions=True)
    words = [error.word for error in ended if isinstance(error, BusRefusedError)]
    assert (words.count("not-authenticated"), words.count("locked")) == (FREE_TRIES, 20 - FREE_TRIES)


async def test_a_sign_on_is_done_once(world: KeyBoxes, anna: MailerDevice) -> None:
    request = anna.sign_on()
    await anna.signs_on(request, anna.record)
    with pytest.raises(BusRefusedError, match="id-used"):
        await anna.signs_on(request, anna.record)


async def test_somebody_elses_record_is_of_no_use(world: KeyBoxes, anna: MailerDevice) -> None:
    bert = MailerDevice(world, "Bert", seed=6)
    await bert.signs_up()
    with pytest.raises(BusRefusedError, match="tampering"):
        await bert.signs_on(record=anna.record)
    request = anna.sign_on()
    order = await world.ask("steel-1", OrderUser(bert.account, request.sealing_key, digest(request.octets())))
    with pytest.raises(BusRefusedError, match="tampering"):
        await world.ask("authentication-1", SignOn(anna.record, order.order, request.signed(anna.signing)))


async def test_a_password_does_not_move_to_another_device(world: KeyBoxes, anna: MailerDevice) -> None:
    eve = MailerDevice(world, seed=6)
    request = replace(eve.sign_on(), password=anna.sign_on().password)
    with pytest.raises(BusRefusedError, match="malformed: the password"):
        await eve.signs_on(request, anna.record)


async def test_a_stopped_account_gets_no_key(world: KeyBoxes, anna: MailerDevice) -> None:
    stopped = signed_record(world, replace(user_of(anna.record), is_active=False))
    with pytest.raises(BusRefusedError, match="stopped"):
        await anna.signs_on(record=stopped)


async def test_too_many_at_once_are_sent_away_without_a_try(
    world: KeyBoxes, anna: MailerDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fob_office.centre.boxes.authentication.passwords.IN_HAND_LIMIT", 0)
    for _ in range(FREE_TRIES + 1):
        with pytest.raises(BusRefusedError, match="unavailable"):
            await anna.signs_on(record=anna.record)
    monkeypatch.setattr("fob_office.centre.boxes.authentication.passwords.IN_HAND_LIMIT", IN_HAND_LIMIT)
    await anna.signs_on(record=anna.record)


async def test_no_secret_is_shown(world: KeyBoxes, anna: MailerDevice, capsys: pytest.CaptureFixture[str]) -> None:
    refusals = []
    for request in (anna.sign_on("a guess at a password"), replace(anna.sign_on(), password=b"\x00")):
        with pytest.raises(BusRefusedError) as refused:
            await anna.signs_on(request, anna.record)
        refusals.append(repr(refused.value))
    with pytest.raises(BusRefusedError) as refused:
        await anna.permit(load(anna), record=flipped(anna.record))
    shown = [*refusals, repr(refused.value), repr(user_of(anna.record)), repr(world.open["authentication-1"])]
    shown += capsys.readouterr()
    for secret in (anna.key.hex(), repr(anna.key), PASSWORD, "a guess at a password", user_of(anna.record).verifier):
        assert not any(secret in text for text in shown)

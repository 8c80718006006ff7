"""The authentication box: whether it is the mailer who asks, and for exactly what (M14, M18, M19, M28)."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from fob_office.centre.boxes.authentication.attempts import FIRST_PAUSE, FREE_TRIES, LONGEST_PAUSE
from fob_office.centre.boxes.authentication.passwords import COST, IN_HAND_LIMIT, Passwords
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.authentication import Permit, PermitRefill, RecordUser, SignOn
from fob_office.centre.commands.steel import OrderUser
from fob_office.centre.pieces import pieces_octets, resolve
from fob_protocol.cose import mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.epochs import epoch_of
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed, Payment
from fob_protocol.metering.limits import AMOUNT_LIMIT, CLOCK_SKEW, PASSWORD_LEAST, PASSWORD_LIMIT, REQUEST_TIME
from fob_protocol.metering.records import UserRecord
from fob_protocol.metering.requests import (
    AboutRequest,
    Authenticated,
    FrankRequest,
    HistoryRequest,
    LoadRequest,
    Piece,
    RefundRequest,
    authenticated,
)
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.vouchers import Permission
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import read
from support.centre_key_boxes import EUR, PASSWORD, KeyBoxes, MailerDevice, every_flip, key_boxes, user_of

SERIAL = "FM01000000014"
DAY = 24 * 3600
PIECES = (
    Piece(95, "80331", b"a" * 16, None, "letter"),
    Piece(160, "SW1A 1AA", b"b" * 16, "10115", "letter.large"),
)
INDICIUM = Indicium(SERIAL, 3, 0, 95, EUR, 2027_01_15, "20095", "80331", bytes(16), "letter", 95, 1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[KeyBoxes]:
    async with key_boxes(tmp_path, "steel-1", "authentication-1", "meter-1") as made:
        yield made


@pytest.fixture
async def anna(world: KeyBoxes) -> MailerDevice:
    """Who has signed up."""
    device = MailerDevice(world)
    await device.signs_up()
    return device


def frank(anna: MailerDevice, *pieces: Piece, **other: Any) -> FrankRequest:
    request = FrankRequest(anna.random(16), anna.account, SERIAL, anna.now, b"", None, pieces or PIECES)
    return replace(request, **other)


def load(anna: MailerDevice, **other: Any) -> LoadRequest:
    return replace(LoadRequest(anna.random(16), anna.account, SERIAL, anna.now, 2_000), **other)


def opened(world: KeyBoxes, anna: MailerDevice, permission: bytes | None) -> Permission:
    """As a meter box checks it."""
    key = world.open["meter-1"].vault.derive(Purpose.PERMISSION, anna.account)
    return read(Permission, mac0.check(key, Label.PERMISSION, [], permission or b""))


def signed_record(world: KeyBoxes, record: UserRecord) -> bytes:
    """What only an authentication box can make."""
    key = world.open["authentication-1"].vault.derive(Purpose.USER_RECORD, record.account, record.epoch)
    return mac0.authenticate(key, Label.USER_RECORD, [], record.octets())


class TestSigningUp:
    @pytest.mark.clause("M30")
    async def test_a_mailer_gets_a_record(self, world: KeyBoxes) -> None:
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

    async def test_a_password_is_guessed_at_a_price(self) -> None:
        assert COST == (3, 64 * 1024, 1)

    @pytest.mark.parametrize("size", [PASSWORD_LEAST - 1, PASSWORD_LIMIT + 1])
    async def test_a_password_has_its_size(self, world: KeyBoxes, size: int) -> None:
        anna = MailerDevice(world)
        with pytest.raises(BusRefusedError, match="malformed: a password has 12 to 128 characters"):
            await anna.signs_up(anna.sign_up("ü" * size))
        await anna.signs_up(anna.sign_up("u\u0308" * PASSWORD_LEAST))

    async def test_an_order_is_for_one_request_of_one_device(self, world: KeyBoxes) -> None:
        anna, eve = MailerDevice(world), MailerDevice(world, seed=6)
        request = anna.sign_up()
        signed = request.signed(anna.signing)
        # Eve, a function server, has the key sealed to herself.
        for sealing, own in ((eve.sealing.public, request), (anna.sealing.public, anna.sign_up())):
            given = await world.ask("steel-1", OrderUser(None, sealing, digest(own.octets())))
            with pytest.raises(BusRefusedError, match="tampering"):
                await world.ask("authentication-1", RecordUser(given.order, signed))

    async def test_every_bit_of_an_order_counts(self, world: KeyBoxes) -> None:
        anna = MailerDevice(world)
        request = anna.sign_up()
        order = (await world.ask("steel-1", OrderUser(None, request.sealing_key, digest(request.octets())))).order
        for flipped in every_flip(order):
            with pytest.raises(BusRefusedError, match="tampering"):
                await world.ask("authentication-1", RecordUser(flipped, request.signed(anna.signing)))

    async def test_a_sign_up_is_signed_by_the_device_in_it(self, world: KeyBoxes) -> None:
        anna = MailerDevice(world)
        request = anna.sign_up()
        order = (await world.ask("steel-1", OrderUser(None, request.sealing_key, digest(request.octets())))).order
        other = Ed25519PrivateKey.from_private_bytes(bytes(32))
        with pytest.raises(BusRefusedError, match="not-authenticated"):
            await world.ask("authentication-1", RecordUser(order, request.signed(other)))
        with pytest.raises(BusRefusedError, match=r"malformed|not-authenticated"):
            await world.ask("authentication-1", RecordUser(order, anna.sign_on().signed(anna.signing)))

    async def test_a_password_is_for_one_request_of_one_device(self, world: KeyBoxes) -> None:
        anna, eve = MailerDevice(world), MailerDevice(world, seed=6)
        stolen = anna.sign_up().password
        request = replace(eve.sign_up(), password=stolen)
        with pytest.raises(BusRefusedError, match="malformed: the password"):
            await eve.signs_up(request)

    async def test_an_origin_is_a_place(self, world: KeyBoxes) -> None:
        anna = MailerDevice(world)
        with pytest.raises(BusRefusedError, match="wrong-origin"):
            await anna.signs_up(anna.sign_up(origins=("20095", "<b>")))

    async def test_an_account_that_was_seen_is_not_made_again(self, world: KeyBoxes, anna: MailerDevice) -> None:
        await anna.permit(load(anna))
        request = anna.sign_up()
        asked = OrderUser(anna.account, request.sealing_key, digest(request.octets()))
        order = (await world.ask("steel-1", asked)).order
        with pytest.raises(BusRefusedError, match="tampering"):
            await world.ask("authentication-1", RecordUser(order, request.signed(anna.signing)))

    @pytest.mark.parametrize("late", [REQUEST_TIME + 1, -CLOCK_SKEW - 1])
    async def test_a_sign_up_has_its_time(self, world: KeyBoxes, late: int) -> None:
        anna = MailerDevice(world)
        with pytest.raises(BusRefusedError, match="stale"):
            await anna.signs_up(anna.sign_up(time=anna.now - late))


class TestPermission:
    @pytest.mark.clause("M18", "M19")
    async def test_a_frank_is_permitted_to_the_cent_and_the_piece(self, world: KeyBoxes, anna: MailerDevice) -> None:
        request = frank(anna)
        resolved = (replace(PIECES[0], origin="20095"), PIECES[1])
        assert opened(world, anna, await anna.permit(request)) == Permission(
            account=anna.account,
            request=digest(request.octets()),
            deed=Deed.FRANK,
            serial=SERIAL,
            amount=255,
            pieces=digest(pieces_octets(resolved)),
            time=anna.now,
        )

    async def test_money_is_permitted_by_what_was_asked(self, world: KeyBoxes, anna: MailerDevice) -> None:
        unused = Indicated(INDICIUM.octets(), bytes(16))
        for request, deed, amount, pieces in (
            (load(anna), Deed.LOAD, 2_000, None),
            (refund(anna, amount=40), Deed.REFUND, 40, None),
            (refund(anna, unused=unused), Deed.CREDIT, 95, digest(unused.octets())),
        ):
            given = opened(world, anna, await anna.permit(request))
            assert (given.deed, given.amount, given.pieces) == (deed, amount, pieces)
            assert given.request == digest(request.octets())

    async def test_what_changes_nothing_needs_none(self, anna: MailerDevice) -> None:
        for request in (
            AboutRequest(bytes(16), anna.account, SERIAL, anna.now, 0),
            HistoryRequest(bytes(16), anna.account, SERIAL, anna.now, 0),
        ):
            assert await anna.permit(request) is None
            with pytest.raises(BusRefusedError, match="stale"):
                await anna.permit(replace(request, time=0))

    @pytest.mark.clause("M19")
    async def test_each_request_is_authenticated_by_itself(self, world: KeyBoxes, anna: MailerDevice) -> None:
        request = frank(anna)
        await anna.permit(request)
        code = authenticated(anna.key, request)[-32:]
        wrong = [
            authenticated(bytes(32), request),
            authenticated(anna.key, replace(request, request=bytes(16)))[:-32] + code,
            mac0.authenticate(anna.key, Label.PERMISSION, [], request.octets()),
            request.octets(),
            b"",
        ]
        for octets in wrong:
            with pytest.raises(BusRefusedError, match="not-authenticated"):
                await world.ask("authentication-1", Permit(anna.record, octets))

    @pytest.mark.clause("M19")
    async def test_every_bit_of_a_request_counts(self, world: KeyBoxes, anna: MailerDevice) -> None:
        for flipped in every_flip(authenticated(anna.key, load(anna))):
            with pytest.raises(BusRefusedError, match="not-authenticated"):
                await world.ask("authentication-1", Permit(anna.record, flipped))

    async def test_what_is_no_request_is_refused_after_its_code(self, world: KeyBoxes, anna: MailerDevice) -> None:
        for payload in (b"", b"\x80", anna.sign_up().octets()):
            octets = mac0.authenticate(anna.key, Label.METERING_REQUEST, [], payload)
            with pytest.raises(BusRefusedError, match="malformed"):
                await world.ask("authentication-1", Permit(anna.record, octets))

    @pytest.mark.clause("M13")
    async def test_codes_are_compared_in_constant_time(
        self, anna: MailerDevice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[int] = []
        real = hmac.compare_digest

        def compare(one: bytes, other: bytes) -> bool:
            compared.append(len(one))
            return real(one, other)

        monkeypatch.setattr(hmac, "compare_digest", compare)
        await anna.permit(load(anna))
        # The record's, and the request's.
        assert compared.count(32) >= 2

    async def test_one_account_is_not_another(self, world: KeyBoxes, anna: MailerDevice) -> None:
        bert = MailerDevice(world, "Bert", seed=6)
        await bert.signs_up()
        with pytest.raises(BusRefusedError, match="not-authenticated"):
            await anna.permit(load(anna, account=bert.account))
        with pytest.raises(BusRefusedError, match="not-authenticated"):
            await anna.permit(load(anna), record=bert.record)

    @pytest.mark.parametrize("age", [REQUEST_TIME, -CLOCK_SKEW])
    async def test_a_request_has_its_time(self, anna: MailerDevice, age: int) -> None:
        assert await anna.permit(load(anna, time=anna.now - age))
        beyond = age + 1 if age > 0 else age - 1
        with pytest.raises(BusRefusedError, match="stale"):
            await anna.permit(load(anna, time=anna.now - beyond))

    async def test_a_stopped_account_is_told_so_when_it_is_authenticated(
        self, world: KeyBoxes, anna: MailerDevice
    ) -> None:
        stopped = signed_record(world, replace(user_of(anna.record), is_active=False))
        with pytest.raises(BusRefusedError, match="stopped"):
            await anna.permit(load(anna), record=stopped)
        with pytest.raises(BusRefusedError, match="not-authenticated"):
            await world.ask("authentication-1", Permit(stopped, authenticated(bytes(32), load(anna))))

    @pytest.mark.clause("M28")
    async def test_an_origin_is_one_of_the_mailers(self, anna: MailerDevice) -> None:
        with pytest.raises(BusRefusedError, match="wrong-origin"):
            await anna.permit(frank(anna, replace(PIECES[0], origin="99999")))

    @pytest.mark.clause("M28")
    def test_the_first_origin_is_that_of_pieces_without(self) -> None:
        resolved = resolve(PIECES, ("20095", "10115"))
        assert [piece.origin for piece in resolved.pieces] == ["20095", "10115"]
        assert (resolved.amount, resolved.digest) == (255, digest(resolved.octets))
        assert resolve(resolved.pieces, ("10115", "20095")) == resolved
        assert resolve(PIECES, ("10115",)).digest != resolved.digest

    async def test_a_sum_has_its_bound(self, world: KeyBoxes, anna: MailerDevice) -> None:
        most = Piece(AMOUNT_LIMIT, "80331", bytes(16), None, "letter")
        assert opened(world, anna, await anna.permit(frank(anna, most))).amount == AMOUNT_LIMIT
        with pytest.raises(BusRefusedError, match="over-limit"):
            await anna.permit(frank(anna, most, PIECES[0]))

    async def test_a_refund_is_of_one_thing(self, anna: MailerDevice) -> None:
        unused = Indicated(INDICIUM.octets(), bytes(16))
        for request in (refund(anna), refund(anna, amount=1, unused=unused)):
            with pytest.raises(BusRefusedError, match="malformed"):
                await anna.permit(request)
        with pytest.raises(BusRefusedError, match="no-refund"):
            await anna.permit(refund(anna, unused=Indicated(b"\x80", bytes(16))))

    @pytest.mark.clause("M29")
    async def test_a_refill_is_permitted_by_the_mailers_rule(self, world: KeyBoxes, anna: MailerDevice) -> None:
        asked = digest(b"a refill")
        given = (await world.ask("authentication-1", PermitRefill(anna.record, SERIAL, asked))).permission
        permission = opened(world, anna, given)
        assert (permission.deed, permission.amount, permission.request) == (Deed.LOAD, 2_000, asked)
        without = signed_record(world, replace(user_of(anna.record), refill=None, counter=2))
        with pytest.raises(BusRefusedError, match="no-refill"):
            await world.ask("authentication-1", PermitRefill(without, SERIAL, asked))
        stopped = signed_record(world, replace(user_of(anna.record), is_active=False, counter=3))
        with pytest.raises(BusRefusedError, match="stopped"):
            await world.ask("authentication-1", PermitRefill(stopped, SERIAL, asked))

    @pytest.mark.parametrize(("serial", "request_digest"), [("no serial", bytes(32)), (SERIAL, b"short")])
    async def test_a_refill_of_nothing_is_refused(
        self, world: KeyBoxes, anna: MailerDevice, serial: str, request_digest: bytes
    ) -> None:
        with pytest.raises(BusRefusedError, match="malformed"):
            await world.ask("authentication-1", PermitRefill(anna.record, serial, request_digest))


class TestRecords:
    @pytest.mark.clause("M23")
    async def test_every_field_that_staff_change_is_found(self, world: KeyBoxes, anna: MailerDevice) -> None:
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
    async def test_every_bit_of_a_record_counts(self, anna: MailerDevice) -> None:
        for flipped in every_flip(anna.record):
            with pytest.raises(BusRefusedError, match="tampering"):
                await anna.permit(load(anna), record=flipped)

    @pytest.mark.clause("M22")
    async def test_every_older_record_is_refused(self, world: KeyBoxes, anna: MailerDevice) -> None:
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
    async def test_two_records_with_one_counter_are_not_both_the_newest(
        self, world: KeyBoxes, anna: MailerDevice
    ) -> None:
        first = anna.record
        one = await anna.signs_on(record=first)
        other = await anna.signs_on(record=first)
        await anna.permit(load(anna))
        assert user_of(one).counter == user_of(other).counter
        with pytest.raises(BusRefusedError, match="tampering"):
            await anna.permit(load(anna), record=one)

    @pytest.mark.clause("M33")
    async def test_a_record_that_was_never_stored_locks_nobody_out(self, world: KeyBoxes, anna: MailerDevice) -> None:
        first, key = anna.record, anna.key
        # The function server dies with the new record in its hand.
        await anna.signs_on(record=first)
        anna.key = key
        await anna.permit(load(anna), record=first)
        await anna.signs_on(record=first)
        await anna.permit(load(anna))

    @pytest.mark.clause("M22")
    async def test_records_that_come_at_once_leave_the_newest(self, world: KeyBoxes, anna: MailerDevice) -> None:
        record = user_of(anna.record)
        shown = [signed_record(world, replace(record, counter=counter)) for counter in (5, 7, 6, 4)]
        await asyncio.gather(*(anna.permit(load(anna), record=each) for each in shown), return_exceptions=True)
        for older in (shown[0], shown[2], shown[3]):
            with pytest.raises(BusRefusedError, match="tampering"):
                await anna.permit(load(anna), record=older)
        assert await anna.permit(load(anna), record=shown[1])

    @pytest.mark.clause("M11")
    async def test_a_record_of_an_earlier_epoch_is_taken_and_the_next_is_of_the_newest(
        self, world: KeyBoxes, anna: MailerDevice
    ) -> None:
        before = anna.record
        world.boxes.now += 62 * DAY
        assert await anna.permit(load(anna))
        await anna.signs_on(record=before)
        assert user_of(anna.record).epoch == epoch_of(anna.now) == user_of(before).epoch + 2
        world.boxes.now -= 62 * DAY
        with pytest.raises(BusRefusedError, match="epoch-rollback"):
            await anna.permit(load(anna))

    @pytest.mark.clause("M9")
    async def test_a_record_of_one_account_is_nothing_under_another(self, world: KeyBoxes, anna: MailerDevice) -> None:
        bert = MailerDevice(world, "Bert", seed=6)
        await bert.signs_up()
        moved = signed_record(world, replace(user_of(anna.record), key=user_of(bert.record).key))
        with pytest.raises(BusRefusedError, match="tampering: the user authentication key"):
            await anna.permit(load(anna), record=moved)


class TestSigningOn:
    @pytest.mark.clause("M14")
    async def test_a_new_device_takes_the_place_of_the_one_before(self, world: KeyBoxes, anna: MailerDevice) -> None:
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

    async def test_a_name_is_written_as_people_like(self, world: KeyBoxes, anna: MailerDevice) -> None:
        new = MailerDevice(world, " ANNA ", seed=6)
        await new.signs_on(record=anna.record)
        assert user_of(new.record).name == "Anna"

    async def test_a_wrong_password_and_a_name_that_nobody_has_are_answered_alike(
        self, world: KeyBoxes, anna: MailerDevice, monkeypatch: pytest.MonkeyPatch
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
    async def test_guessing_is_paused_longer_and_longer_and_never_for_ever(
        self, world: KeyBoxes, anna: MailerDevice
    ) -> None:
        async def guess() -> str:
            with pytest.raises(BusRefusedError) as refused:
                await anna.signs_on(anna.sign_on("a guess at a password"), record)
            return str(refused.value.word)

        record = anna.record
        assert [await guess() for _ in range(FREE_TRIES + 1)] == ["not-authenticated"] * FREE_TRIES + ["locked"]
        # A kill gives no try back.
        await world.stop("authentication-1")
        await world.start("authentication-1")
        pause = FIRST_PAUSE
        for _ in range(8):
            world.boxes.now += pause - 1
            assert await guess() == "locked"
            world.boxes.now += 1
            assert await guess() == "not-authenticated"
            pause = min(2 * pause, LONGEST_PAUSE)
        # Franking goes on, and the right one ends it.
        assert await anna.permit(load(anna))
        world.boxes.now += LONGEST_PAUSE
        await anna.signs_on(record=record)
        record = anna.record
        assert [await guess() for _ in range(FREE_TRIES)] == ["not-authenticated"] * FREE_TRIES

    async def test_a_clock_that_was_put_back_locks_nobody_out(self, world: KeyBoxes, anna: MailerDevice) -> None:
        world.boxes.now += 40 * DAY
        for _ in range(FREE_TRIES):
            with pytest.raises(BusRefusedError, match="not-authenticated"):
                await anna.signs_on(anna.sign_on("a guess at a password"), anna.record)
        world.boxes.now -= 40 * DAY
        await anna.signs_on(record=anna.record)

    async def test_guesses_at_once_count_each(self, world: KeyBoxes, anna: MailerDevice) -> None:
        guesses = [anna.signs_on(anna.sign_on("a guess at a password"), anna.record) for _ in range(20)]
        ended = await asyncio.gather(*guesses, return_exceptions=True)
        words = [error.word for error in ended if isinstance(error, BusRefusedError)]
        assert (words.count("not-authenticated"), words.count("locked")) == (FREE_TRIES, 20 - FREE_TRIES)

    async def test_a_sign_on_is_done_once(self, world: KeyBoxes, anna: MailerDevice) -> None:
        request = anna.sign_on()
        await anna.signs_on(request, anna.record)
        with pytest.raises(BusRefusedError, match="id-used"):
            await anna.signs_on(request, anna.record)

    async def test_somebody_elses_record_is_of_no_use(self, world: KeyBoxes, anna: MailerDevice) -> None:
        bert = MailerDevice(world, "Bert", seed=6)
        await bert.signs_up()
        with pytest.raises(BusRefusedError, match="tampering"):
            await bert.signs_on(record=anna.record)
        request = anna.sign_on()
        order = await world.ask("steel-1", OrderUser(bert.account, request.sealing_key, digest(request.octets())))
        with pytest.raises(BusRefusedError, match="tampering"):
            await world.ask("authentication-1", SignOn(anna.record, order.order, request.signed(anna.signing)))

    async def test_a_password_does_not_move_to_another_device(self, world: KeyBoxes, anna: MailerDevice) -> None:
        eve = MailerDevice(world, seed=6)
        request = replace(eve.sign_on(), password=anna.sign_on().password)
        with pytest.raises(BusRefusedError, match="malformed: the password"):
            await eve.signs_on(request, anna.record)

    async def test_a_stopped_account_gets_no_key(self, world: KeyBoxes, anna: MailerDevice) -> None:
        stopped = signed_record(world, replace(user_of(anna.record), is_active=False))
        with pytest.raises(BusRefusedError, match="stopped"):
            await anna.signs_on(record=stopped)

    async def test_too_many_at_once_are_sent_away_without_a_try(
        self, world: KeyBoxes, anna: MailerDevice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fob_office.centre.boxes.authentication.passwords.IN_HAND_LIMIT", 0)
        for _ in range(FREE_TRIES + 1):
            with pytest.raises(BusRefusedError, match="unavailable"):
                await anna.signs_on(record=anna.record)
        monkeypatch.setattr("fob_office.centre.boxes.authentication.passwords.IN_HAND_LIMIT", IN_HAND_LIMIT)
        await anna.signs_on(record=anna.record)


async def test_several_boxes_answer_for_one_mailer(tmp_path: Path) -> None:
    async with key_boxes(tmp_path, "steel-1", "authentication-1", "authentication-2", "meter-1") as world:
        anna = MailerDevice(world)
        await anna.signs_up(anna.sign_up(box="authentication-2"), box="authentication-2")
        permissions = [await anna.permit(load(anna), box=box) for box in ("authentication-1", "authentication-2")]
        assert {opened(world, anna, each).amount for each in permissions} == {2_000}
        with pytest.raises(BusRefusedError, match="malformed: the password"):
            await anna.signs_on(anna.sign_on(box="authentication-2"), anna.record, box="authentication-1")


async def test_no_secret_is_shown(world: KeyBoxes, anna: MailerDevice, capsys: pytest.CaptureFixture[str]) -> None:
    refusals = []
    for request in (anna.sign_on("a guess at a password"), replace(anna.sign_on(), password=b"\x00")):
        with pytest.raises(BusRefusedError) as refused:
            await anna.signs_on(request, anna.record)
        refusals.append(repr(refused.value))
    with pytest.raises(BusRefusedError) as refused:
        await anna.permit(load(anna), record=anna.record[:-1] + b"\x00")
    shown = [*refusals, repr(refused.value), repr(user_of(anna.record)), repr(world.open["authentication-1"])]
    shown += capsys.readouterr()
    for secret in (anna.key.hex(), repr(anna.key), PASSWORD, "a guess at a password", user_of(anna.record).verifier):
        assert not any(secret in text for text in shown)


def refund(anna: MailerDevice, amount: int | None = None, unused: Indicated | None = None) -> Authenticated:
    return RefundRequest(anna.random(16), anna.account, SERIAL, anna.now, amount, unused)

"""Whether it is the mailer who asks, and for exactly what (M18, M19, M28)."""

import hmac
from pathlib import Path

import pytest
from msgspec.structs import replace

from centre.authentication.asking import PIECES, SERIAL, frank, load, opened, refund, signed_record
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.commands.authentication import Permit, PermitRefill
from fob_office.centre.following import REFILL, derived_digest, rule_digest
from fob_office.centre.pieces import pieces_octets, resolve
from fob_protocol.cose import mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import AMOUNT_LIMIT, CLOCK_SKEW, REQUEST_TIME
from fob_protocol.metering.requests import AboutRequest, HistoryRequest, Piece, authenticated
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.vouchers import Permission
from fob_protocol.office.hashing import digest
from support.centre_key_boxes import EUR, KeyBoxes, MailerDevice, key_boxes, user_of
from support.octets import octet_flips

INDICIUM = Indicium(SERIAL, 3, 0, 95, EUR, 2027_01_15, "20095", "80331", bytes(16), "letter", 95, 1)


@pytest.mark.clause("M18", "M19")
async def test_a_frank_is_permitted_to_the_cent_and_the_piece(world: KeyBoxes, anna: MailerDevice) -> None:
    request = frank(anna)
    resolved = (replace(PIECES[0], origin="20095"), PIECES[1])
    assert opened(world, anna, await anna.permit(request)) == Permission(
        account=anna.account,
        request_digest=digest(request.octets()),
        deed=Deed.FRANK,
        serial=SERIAL,
        amount=255,
        pieces=digest(pieces_octets(resolved)),
        time=anna.now,
    )


async def test_money_is_permitted_by_what_was_asked(world: KeyBoxes, anna: MailerDevice) -> None:
    unused = Indicated(INDICIUM.octets(), bytes(16))
    for request, deed, amount, pieces in (
        (load(anna), Deed.LOAD, 2_000, None),
        (refund(anna, amount=40), Deed.REFUND, 40, None),
        (refund(anna, unused=unused), Deed.CREDIT, 95, digest(unused.octets())),
    ):
        given = opened(world, anna, await anna.permit(request))
        assert (given.deed, given.amount, given.pieces) == (deed, amount, pieces)
        assert given.request_digest == digest(request.octets())


async def test_what_changes_nothing_needs_none(anna: MailerDevice) -> None:
    for request in (
        AboutRequest(bytes(16), anna.account, SERIAL, anna.now, 0),
        HistoryRequest(bytes(16), anna.account, SERIAL, anna.now, 0),
    ):
        assert await anna.permit(request) is None
        with pytest.raises(BusRefusedError, match="stale"):
            await anna.permit(replace(request, time=0))


@pytest.mark.clause("M19")
async def test_each_request_is_authenticated_by_itself(world: KeyBoxes, anna: MailerDevice) -> None:
    request = frank(anna)
    await anna.permit(request)
    code = authenticated(anna.key, request)[-32:]
    wrong = [
        authenticated(bytes(32), request),
        authenticated(anna.key, replace(request, request_id=bytes(16)))[:-32] + code,
        mac0.authenticate(anna.key, Label.PERMISSION, [], request.octets()),
        request.octets(),
        b"",
    ]
    for octets in wrong:
        with pytest.raises(BusRefusedError, match="not-authenticated"):
            await world.ask("authentication-1", Permit(anna.record, octets))


@pytest.mark.clause("M19")
async def test_every_bit_of_a_request_counts(world: KeyBoxes, anna: MailerDevice) -> None:
    for flipped in octet_flips(authenticated(anna.key, load(anna))):
        with pytest.raises(BusRefusedError, match="not-authenticated"):
            await world.ask("authentication-1", Permit(anna.record, flipped))


async def test_what_is_no_request_is_refused_after_its_code(world: KeyBoxes, anna: MailerDevice) -> None:
    for payload in (b"", b"\x80", anna.sign_up().octets()):
        octets = mac0.authenticate(anna.key, Label.METERING_REQUEST, [], payload)
        with pytest.raises(BusRefusedError, match="malformed"):
            await world.ask("authentication-1", Permit(anna.record, octets))


@pytest.mark.clause("M13")
async def test_codes_are_compared_in_constant_time(anna: MailerDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    real = hmac.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(len(one))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    await anna.permit(load(anna))
    # The record's, and the request's.
    assert compared.count(32) >= 2


async def test_one_account_is_not_another(world: KeyBoxes, anna: MailerDevice) -> None:
    bert = MailerDevice(world, "Bert", seed=6)
    await bert.signs_up()
    with pytest.raises(BusRefusedError, match="not-authenticated"):
        await anna.permit(load(anna, account=bert.account))
    with pytest.raises(BusRefusedError, match="not-authenticated"):
        await anna.permit(load(anna), record=bert.record)


@pytest.mark.parametrize("age", [REQUEST_TIME, -CLOCK_SKEW])
async def test_a_request_has_its_time(anna: MailerDevice, age: int) -> None:
    assert await anna.permit(load(anna, time=anna.now - age))
    beyond = age + 1 if age > 0 else age - 1
    with pytest.raises(BusRefusedError, match="stale"):
        await anna.permit(load(anna, time=anna.now - beyond))


async def test_a_stopped_account_is_told_so_when_it_is_authenticated(world: KeyBoxes, anna: MailerDevice) -> None:
    stopped = signed_record(world, replace(user_of(anna.record), is_active=False))
    with pytest.raises(BusRefusedError, match="stopped"):
        await anna.permit(load(anna), record=stopped)
    with pytest.raises(BusRefusedError, match="not-authenticated"):
        await world.ask("authentication-1", Permit(stopped, authenticated(bytes(32), load(anna))))


@pytest.mark.clause("M28")
async def test_an_origin_is_one_of_the_mailers(anna: MailerDevice) -> None:
    with pytest.raises(BusRefusedError, match="wrong-origin"):
        await anna.permit(frank(anna, replace(PIECES[0], origin="99999")))


@pytest.mark.clause("M28")
def test_the_first_origin_is_that_of_pieces_without() -> None:
    resolved = resolve(PIECES, ("20095", "10115"))
    assert [piece.origin for piece in resolved.pieces] == ["20095", "10115"]
    assert (resolved.amount, resolved.digest) == (255, digest(resolved.octets))
    assert resolve(resolved.pieces, ("10115", "20095")) == resolved
    assert resolve(PIECES, ("10115",)).digest != resolved.digest


async def test_a_sum_has_its_bound(world: KeyBoxes, anna: MailerDevice) -> None:
    most = Piece(AMOUNT_LIMIT, "80331", bytes(16), None, "letter")
    assert opened(world, anna, await anna.permit(frank(anna, most))).amount == AMOUNT_LIMIT
    with pytest.raises(BusRefusedError, match="over-limit"):
        await anna.permit(frank(anna, most, PIECES[0]))


async def test_a_refund_is_of_one_thing(anna: MailerDevice) -> None:
    unused = Indicated(INDICIUM.octets(), bytes(16))
    for request in (refund(anna), refund(anna, amount=1, unused=unused)):
        with pytest.raises(BusRefusedError, match="malformed"):
            await anna.permit(request)
    with pytest.raises(BusRefusedError, match="no-refund"):
        await anna.permit(refund(anna, unused=Indicated(b"\x80", bytes(16))))


@pytest.mark.clause("M29")
async def test_a_refill_is_permitted_by_the_mailers_rule(world: KeyBoxes, anna: MailerDevice) -> None:
    given = (await world.ask("authentication-1", PermitRefill(anna.record, SERIAL, 7))).permission
    permission = opened(world, anna, given)
    assert (permission.deed, permission.amount, permission.request_digest) == (
        Deed.LOAD,
        2_000,
        derived_digest(REFILL, SERIAL, 7),
    )
    rule = user_of(anna.record).refill
    assert rule is not None
    # So that it is good for a meter under the level alone.
    assert permission.pieces == rule_digest(rule.below)
    without = signed_record(world, replace(user_of(anna.record), refill=None, counter=2))
    with pytest.raises(BusRefusedError, match="no-refill"):
        await world.ask("authentication-1", PermitRefill(without, SERIAL, 7))
    stopped = signed_record(world, replace(user_of(anna.record), is_active=False, counter=3))
    with pytest.raises(BusRefusedError, match="stopped"):
        await world.ask("authentication-1", PermitRefill(stopped, SERIAL, 7))


async def test_a_refill_of_nothing_is_refused(world: KeyBoxes, anna: MailerDevice) -> None:
    with pytest.raises(BusRefusedError, match="malformed"):
        await world.ask("authentication-1", PermitRefill(anna.record, "no serial", 7))


async def test_several_boxes_answer_for_one_mailer(tmp_path: Path) -> None:
    async with key_boxes(tmp_path, "steel-1", "authentication-1", "authentication-2", "meter-1") as world:
        anna = MailerDevice(world)
        await anna.signs_up(anna.sign_up(box="authentication-2"), box="authentication-2")
        permissions = [await anna.permit(load(anna), box=box) for box in ("authentication-1", "authentication-2")]
        assert {opened(world, anna, each).amount for each in permissions} == {2_000}
        with pytest.raises(BusRefusedError, match="malformed: the password"):
            await anna.signs_on(anna.sign_on(box="authentication-2"), anna.record, box="authentication-1")

"""Pieces at the post: what is genuine, and each thing that is not, told apart (M15, M26, M27)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_office.centre.postal.verifying import OnPiece, Outcome
from fob_protocol.metering.indicium import Indicium
from fob_protocol.metering.values import Indicated
from fob_protocol.office.errors import OfficeError
from fob_protocol.office.message import read
from support.indicia import indicated
from support.post import ADDRESS, DESTINATION, PostOffice, post_office

NOTHING = OnPiece()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[PostOffice]:
    async with post_office(tmp_path) as made:
        yield made


def changed(shown: Indicated, **elements: object) -> Indicated:
    """By somebody who has no key."""
    return replace(shown, indicium=replace(read(Indicium, shown.indicium), **elements).octets())


@pytest.mark.clause("M26")
async def test_a_genuine_piece(office: PostOffice) -> None:
    (shown,) = await office.franked(95)
    indicium = read(Indicium, shown.indicium)
    verdict = await office.judged(shown, address=ADDRESS, destination=DESTINATION, amount=95, date=indicium.date)
    assert (verdict.outcome, verdict.clause, verdict.indicium) == (Outcome.GENUINE, "M26", indicium)


@pytest.mark.clause("M26", "M32")
@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("0.95", None),
        ("EUR 0.95", None),
        ("95 cent", None),
        (" 0.95 eur ", None),
        ("0.96", "EUR 0.96"),
        # As whoever thinks in cents types it, and so sees how it was taken.
        ("95", "EUR 95.00"),
        # What no letter costs, and what is there no part of.
        ("0.95 kwh", "0.95 kwh"),
        ("0.955", "0.955"),
    ],
)
async def test_the_amount_beside_the_code_is_typed_as_it_stands_there(
    office: PostOffice, typed: str, shown: str | None
) -> None:
    (piece,) = await office.franked(95)
    verdict = await office.judged(piece, amount=typed)
    if shown is None:
        assert verdict.outcome is Outcome.GENUINE
        return
    said = f"the amount on the piece is {shown}, in the code EUR 0.95"
    assert (verdict.outcome, verdict.why) == (Outcome.ALTERED, said)


@pytest.mark.clause("M26")
@pytest.mark.parametrize(
    ("element", "value", "why"),
    [
        ("amount", 9_500, "amount EUR 0.95"),
        ("date", 2026_01_01, "date 20270115"),
        ("addressee", bytes(16), "addressee another"),
        ("destination", "20095", "destination 80331"),
        ("origin", "20095", "origin 10115"),
    ],
)
async def test_an_altered_piece_is_told_with_what_its_meter_made(
    office: PostOffice, element: str, value: object, why: str
) -> None:
    (shown,) = await office.franked(95)
    verdict = await office.judged(changed(shown, **{element: value}))
    assert (verdict.outcome, verdict.why) == (Outcome.ALTERED, f"the meter made it with {why}")
    # And makes nothing of the piece itself.
    assert (await office.judged(shown)).outcome is Outcome.GENUINE


@pytest.mark.clause("M26")
async def test_what_stands_beside_the_code_is_that_of_the_code(office: PostOffice) -> None:
    (shown,) = await office.franked(95)
    verdict = await office.judged(shown, amount=950)
    assert (verdict.outcome, verdict.why) == (
        Outcome.ALTERED,
        "the amount on the piece is EUR 9.50, in the code EUR 0.95",
    )
    verdict = await office.judged(shown, date=2027_01_16)
    assert (verdict.outcome, verdict.why) == (
        Outcome.ALTERED,
        "the date on the piece is 20270116, in the code 20270115",
    )


@pytest.mark.clause("M26")
async def test_a_forged_piece(office: PostOffice) -> None:
    (shown,) = await office.franked(95)
    for forged in (changed(shown, counter=77), changed(shown, piece=1), changed(shown, counter=0)):
        verdict = await office.judged(forged)
        assert (verdict.outcome, verdict.why) == (Outcome.FORGED, "the token is not of its meter")
    verdict = await office.judged(indicated())
    assert (verdict.outcome, verdict.why) == (Outcome.UNKNOWN_METER, "there is no meter FM-000123")


@pytest.mark.clause("M26")
async def test_a_right_token_that_no_transaction_made(office: PostOffice) -> None:
    """A token key in wrong hands, or a database whose staff took a transaction out."""
    (shown,) = await office.franked(95)
    office.centre.rows("DELETE FROM transactions WHERE counter = 3")
    verdict = await office.judged(shown)
    assert verdict.outcome is Outcome.FORGED
    assert "no transaction of the meter made it" in verdict.why


@pytest.mark.clause("M27")
async def test_a_copy_on_another_piece(office: PostOffice) -> None:
    shown, second = await office.franked(95, 95)
    verdict = await office.judged(shown, address="Onkel Paul, Platz 9")
    assert (verdict.outcome, verdict.clause) == (Outcome.COPIED, "M27")
    assert (await office.judged(second, address=ADDRESS)).outcome is Outcome.COPIED
    verdict = await office.judged(shown, destination="20095")
    assert verdict.why == "it was made for a piece to 80331, this one goes to 20095"
    # The copy came first; the piece itself is none the worse.
    assert (await office.judged(shown, address="TANTE 0\nWeg 1", destination=" 80331 ")).outcome is Outcome.GENUINE


@pytest.mark.clause("M27")
async def test_a_piece_that_comes_by_again(office: PostOffice) -> None:
    (shown,) = await office.franked(95)
    assert (await office.judged(shown)).outcome is Outcome.GENUINE
    verdict = await office.judged(shown)
    assert (verdict.outcome, verdict.why) == (Outcome.REUSED, "it was seen once before")
    assert (await office.judged(shown)).why == "it was seen 2 times before"


@pytest.mark.clause("M27")
async def test_who_only_looks_uses_nothing_and_finds_doubles_of_his_own_run(office: PostOffice) -> None:
    (shown,) = await office.franked(95)
    for _ in range(2):
        post = office.post(is_noted=False)
        outcomes = [(await post.verify(shown, on_piece)).outcome for on_piece in (NOTHING, NOTHING)]
        assert outcomes == [Outcome.GENUINE, Outcome.REUSED]
    assert (await office.judged(shown)).outcome is Outcome.GENUINE


@pytest.mark.clause("M27")
async def test_an_indicium_that_was_given_back(office: PostOffice) -> None:
    shown, second = await office.franked(95, 60)
    await office.mailer.refund(unused=shown)
    verdict = await office.judged(shown, address=ADDRESS)
    assert (verdict.outcome, verdict.why) == (Outcome.REFUNDED, "it was given back, and its amount with it")
    # Staff who make the database forget it have the meter box against them.
    office.centre.rows("DELETE FROM indicia")
    assert (await office.judged(shown)).outcome is Outcome.REFUNDED
    assert (await office.judged(second)).outcome is Outcome.GENUINE


@pytest.mark.clause("M26")
async def test_every_turned_bit_is_refused(office: PostOffice) -> None:
    (shown,) = await office.franked(95)
    post = office.post()
    refused = unread = 0
    octets = shown.indicium + shown.token
    for bit in range(8 * len(octets)):
        turned = bytearray(octets)
        turned[bit // 8] ^= 1 << bit % 8
        size = len(shown.indicium)
        try:
            read(Indicium, bytes(turned[:size]))
        except OfficeError:
            unread += 1
            continue
        verdict = await post.verify(Indicated(bytes(turned[:size]), bytes(turned[size:])), NOTHING)
        assert verdict.outcome in (Outcome.ALTERED, Outcome.FORGED, Outcome.UNKNOWN_METER)
        refused += 1
    assert refused + unread == 8 * len(octets)
    assert refused > 8 * len(shown.token)
    assert (await post.verify(shown, NOTHING)).outcome is Outcome.GENUINE


@pytest.mark.clause("M15")
async def test_a_meter_box_that_owns_no_meter_verifies_where_the_others_are_away(tmp_path: Path) -> None:
    """A remote site has a meter box and a copy of the records."""
    async with post_office(tmp_path / "o", meters=2) as office:
        shown, forged = await office.franked(95, 60)
        await office.centre.view("meter-1", None)
        await office.centre.stop("meter-1")
        assert (await office.judged(shown)).outcome is Outcome.GENUINE
        assert (await office.judged(replace(forged, token=shown.token))).outcome is Outcome.FORGED
        assert await office.centre.warnings() == []

"""The meter on the device's own screen: signing up, what was franked, what is wrong; and every page can be read."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fob_device.approval.asking import Asking, loop_time
from fob_device.integrity.program import Program
from fob_device.office import switching
from fob_device.pad.password import PasswordEntry
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.requests import SignUp as SignUpMessage
from fob_protocol.metering.requests import SignUpRequest, read_signed
from fob_protocol.office.message import read
from support.integrity_bench import OWN
from support.meter_bench import ORDER, OTHER
from support.meter_scene import FORM, MeterScene
from support.metering_office import KIND, PASSWORD, Log
from support.office_signers import NOW
from support.screen_scene import screen_scene


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MeterScene]:
    monkeypatch.setattr(switching, "own_program", lambda: Program("fob-device", (0, 1, 0), None, lambda: OWN))
    async with screen_scene(tmp_path, MeterScene, NOW) as opened:
        opened.carrier.gate.set()
        await opened.unlock()
        yield opened


@pytest.mark.clause("M30")
async def test_the_form_says_what_signing_up_costs_and_no_other_price_is_agreed_to(scene: MeterScene) -> None:
    await scene.configured_rates()
    scene.office.fee = 500
    await scene.post("meter/form")
    await scene.shows("Signing up costs EUR 5.00, paid with the first payment.")
    scene.office.fee = 600
    await scene.post("meter/sign-up", FORM)
    await scene.shows("The data centre asks another price for signing up than it named")
    assert scene.office.account is None
    await scene.post("meter/form")
    await scene.shows("Signing up costs EUR 6.00, paid with the first payment.")
    await scene.post("meter/sign-up", FORM)
    await scene.shows("You have a meter.")
    assert scene.office.account is not None
    assert scene.office.account.fee == 600


@pytest.mark.clause("M30")
async def test_a_person_signs_up_at_the_phone_and_franks(scene: MeterScene) -> None:
    await scene.configured_rates()
    assert "Meter No meter yet" in (await scene.get()).words
    await scene.post("meter/form")
    await scene.shows("At least EUR 5.00 is loaded at once.")
    assert (await scene.post("meter/sign-up", {**FORM, "again": "another password"})).path.startswith("meter")
    assert scene.office.account is None
    await scene.post("meter/sign-up", FORM)
    await scene.shows("You have a meter.")
    (signed,) = [read(SignUpMessage, body).signed for body in scene.office.said if body[:2] == b"\x82\x01"]
    request = read_signed(SignUpRequest, signed)
    assert (request.name, request.origins, request.value_kind) == ("ann", ("20095",), KIND)
    scene.office.does(Deed.LOAD, 5000)
    await scene.franked()
    words = await scene.shows("EUR 47.95 left")
    assert "Franked last EUR 0.95 Letter to 10115 2027-01-15 EUR 1.10 Letter to 20457 2027-01-15" in words
    assert "Frank 2 letters, EUR 2.05, to 10115, 20457: a computer is to take it." in words
    assert "Franked so far EUR 2.05, 2 pieces" in words
    assert "Meter EUR 47.95 left" in (await scene.get()).words
    await scene.post("meter/look")
    await scene.shows("The data centre was asked, and what it says is right.")
    await scene.post("meter/allowance", {"daily": "200"})
    assert scene.meter.allowance == 200
    assert "daily is 0 to" in (await scene.post("meter/allowance", {"daily": "-1"})).words


@pytest.mark.clause("M14", "M22")
async def test_what_is_wrong_with_a_data_centre_stands_on_the_first_page(scene: MeterScene) -> None:
    await scene.signed_up()
    await scene.franked()
    scene.office.log = Log()
    scene.office.log.append(b"another")
    await scene.post("meter/look")
    why = "The data centre's log was rewritten since this device looked last (log-rewritten)."
    assert why in await scene.shows("Nothing is franked")
    assert why in (await scene.get()).words
    await scene.post("meter/sign-on", {"name": "ann", "password": "not this password"})
    assert "The data centre does not know this mailer by that (not-authenticated)." in await scene.shows(
        "does not know"
    )
    await scene.post("meter/sign-on", {"name": "ann", "password": PASSWORD})
    # What was franked before is still there for the computer that paid it.
    assert "a computer is to take it." in await scene.shows("This phone franks from now on.")
    scene.door.office.meter.taken(ORDER)
    await scene.franked(OTHER)


@pytest.mark.parametrize(
    ("path", "fields", "why"),
    [
        ("sign-up", {**FORM, "name": ""}, "name has 1 to 64 characters"),
        ("sign-up", {**FORM, "password": "short"}, "A password has 12 to 128 characters."),
        ("sign-up", {**FORM, "origin": "K\u00f6ln"}, "origin is a postal code"),
        ("sign-up", {**FORM, "kind": "EUR"}, "kind is a value kind"),
        ("sign-up", {**FORM, "payment": "9"}, "payment is one of"),
        ("sign-on", {"name": "ann", "password": "short"}, "A password has 12 to 128 characters."),
    ],
)
async def test_a_form_that_is_none(scene: MeterScene, path: str, fields: dict[str, str], why: str) -> None:
    seen = await scene.post(f"meter/{path}", fields)
    assert why in seen.words
    assert "short" not in seen.words


async def test_a_phone_without_a_data_centre_has_no_such_page(scene: MeterScene) -> None:
    await scene.configured_rates()
    scene.door.office.talker.known = scene.door.office.talker.known.__class__(scene.door.office.talker.known.trust)
    assert "Meter" not in (await scene.get()).words


@pytest.mark.clause("M14", "M30")
@pytest.mark.parametrize("is_new", [True, False])
async def test_a_password_is_typed_on_a_sheet(scene: MeterScene, is_new: bool) -> None:
    asking = Asking("me@pc", "join", loop_time() + 300, lambda words: None)
    entry = PasswordEntry("ann", is_new, "me@pc")
    typing = asyncio.ensure_future(scene.person.type_password(entry, asking))
    await asyncio.sleep(0)
    (sheet,) = scene.person.visible_sheets
    words = (await scene.get("meter")).words
    assert "It is sealed here: the computer does not see it." in words
    assert ("Password again" in words) is is_new
    path = f"sheets/{sheet.id}/password"
    await scene.post(path, {"page": "meter", "password": "short", "again": "short"})
    assert "A password has 12 to 128 characters." in (await scene.get("meter")).words
    if is_new:
        await scene.post(path, {"page": "meter", "password": PASSWORD, "again": PASSWORD + "!"})
        assert "The two passwords were not equal." in (await scene.get("meter")).words
    assert not typing.done()
    await scene.post(path, {"page": "meter", "password": PASSWORD, "again": PASSWORD})
    assert await typing == PASSWORD
    assert scene.person.visible_sheets == []
    assert PASSWORD not in repr(sheet)


async def test_whoever_types_none_gives_up(scene: MeterScene) -> None:
    asking = Asking("me@pc", "join", loop_time() + 300, lambda words: None)
    typing = asyncio.ensure_future(scene.person.type_password(PasswordEntry("ann", False, "me@pc"), asking))
    await asyncio.sleep(0)
    (sheet,) = scene.person.visible_sheets
    await scene.post(f"sheets/{sheet.id}/password/give-up", {"page": "meter"})
    assert await typing is None

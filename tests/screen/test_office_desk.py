"""What the person asks of the back office at the device's own screen: a configuration, a look, a registration."""

import pytest

from fob_device.office.door import UnfinishedDoor
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.limits import FIELD_LIMIT, FIELDS_LIMIT
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import Field
from support import reference_office
from support.device_bench import releases
from support.office_scene import OfficeScene
from support.screen_scene import Scene

ANN = {"field-name": "Ann \u00c4", "field-account": "12"}


async def unlocked(scene: OfficeScene) -> OfficeScene:
    """Three components run, and the person has unlocked the phone."""
    await scene.configured()
    await scene.unlock()
    return scene


async def at_form(scene: OfficeScene) -> OfficeScene:
    """The person has asked what it takes to register at the bank."""
    await unlocked(scene)
    assert (await scene.post("office/servers/bank/form")).path == "office/servers/bank"
    await scene.until(lambda office: office.form is not None)
    return scene


@pytest.mark.clause("C13")
async def test_a_device_configures_itself_and_its_screen_says_how_far_it_is(office_scene: OfficeScene) -> None:
    await office_scene.unlock()
    await office_scene.fetching(2)
    seen = await office_scene.get("office")
    assert "Fetching components Fetching Echo 77 %" in seen.words
    assert "Next set 1, in place A, is fetched" in seen.words
    assert "Office Fetching Echo, 77 %" in (await office_scene.get()).words
    office_scene.carrier.gate.set()
    await office_scene.until(lambda office: len(office.components) == 3)
    assert "Components Table version 1.0.0 runs Echo version 1.0.0 runs" in (await office_scene.get("office")).words


async def test_after_a_power_cut_it_goes_on_where_it_was(office_scene: OfficeScene) -> None:
    await office_scene.fetching(2)
    heard: list[int] = []
    office_scene.bench.cut_power(0)
    await office_scene.bench.opened()
    office_scene.shown.on_change.add(lambda: heard.append(office_scene.overview.done))
    await office_scene.until(lambda office: office.total > 0)
    await office_scene.unlock()
    assert "Fetching components Fetching Echo 77 %" in (await office_scene.get("office")).words
    office_scene.carrier.gate.set()
    await office_scene.until(lambda office: len(office.components) == 3)
    steps = [done for done in heard if done]
    assert (steps[0], steps[-1], steps) == (14, 18, sorted(steps))


@pytest.mark.clause("C11", "C19")
async def test_a_look_and_then_the_upgrade(office_scene: OfficeScene) -> None:
    await office_scene.upgrade_waits()
    await office_scene.unlock()
    seen = await office_scene.get("office")
    assert "1 of 3 components has a newer version." in seen.words
    assert "Upgrades Table 1.0.0 is installed 1.2.0 is there" in seen.words
    table, *others = releases(office_scene.office)
    newer = office_scene.office.signers.release("table", b"2", version=(1, 2, 0), kind=table.release.kind)
    office_scene.office.order = [newer, *others]
    assert (await office_scene.post("office/configure")).path == "office"
    await office_scene.until(lambda office: office.ended is not None)
    seen = await office_scene.get("office")
    assert "What was ordered runs." in seen.words
    assert "Upgrades" not in seen.words
    assert "Table version 1.2.0 runs" in seen.words
    assert "Set 2, in place B, confirmed" in seen.words


async def test_a_refusal_says_what_to_do(office_scene: OfficeScene) -> None:
    await office_scene.refused()
    await office_scene.unlock()
    why = "it does not know it, or has no order for it (denied). Ask who runs the office."
    assert why in (await office_scene.get("office")).words
    assert why in (await office_scene.get()).words


async def test_whoever_waits_no_more_stops_nothing(office_scene: OfficeScene) -> None:
    scene = await unlocked(office_scene)
    scene.carrier.gate.clear()
    await scene.post("office/look")
    assert "Wait no more" in (await scene.get("office")).words
    assert (await scene.post("office/look")).path == "office", "whoever taps twice means it once"
    assert (await scene.post("office/give-up", {"page": "office"})).path == "office"
    await scene.until(lambda office: office.doing is None)
    scene.carrier.gate.set()
    await scene.until(lambda office: not office.words)
    assert len(scene.office.requests) == 2, "the first configuration, and one look"


@pytest.mark.clause("R6", "R11", "R12", "R23")
async def test_a_registration(office_scene: OfficeScene) -> None:
    scene = await at_form(office_scene)
    seen = await scene.get("office/servers/bank")
    assert "A bank of letters Your name At most 64 plain letters; others count as 2 to 4" in seen.words
    assert "Account At most 20 plain letters; others count as 2 to 4. May be left out Register Cancel" in seen.words
    assert 'name="field-name" value="" maxlength="64" autocomplete="off" required autofocus' in seen.text
    assert 'name="field-account" value="" maxlength="20" autocomplete="off" aria-describedby' in seen.text
    assert 'http-equiv="refresh"' not in seen.text, "what is typed stays"
    assert (await scene.post("office/servers/bank/register", ANN)).path == "office/servers/bank"
    await scene.until(lambda office: office.ended is not None)
    seen = await scene.get("office/servers/bank")
    assert "You are registered. Registered as Ann \u00c4" in seen.words
    assert "What you may use letters Level 2" in seen.words
    assert "Register again" in seen.words
    assert (scene.office.user().name, scene.office.user().is_confirmed) == ("Ann \u00c4", True)
    assert "As Ann \u00c4; letters: level 2 registered" in (await scene.get("office")).words


@pytest.mark.clause("R25")
async def test_a_name_that_is_taken_keeps_what_was_filled_in(office_scene: OfficeScene) -> None:
    scene = await at_form(office_scene)
    scene.office.refuses = {Service.REGISTRATION: RefusedError(Refusal.NAME_TAKEN)}
    await scene.post("office/servers/bank/register", ANN)
    await scene.until(lambda office: office.ended is not None)
    seen = await scene.get("office/servers/bank")
    assert "Somebody else is registered there by that name (name-taken). Take another name." in seen.words
    assert 'value="Ann \u00c4"' in seen.text
    assert 'value="12"' in seen.text
    scene.office.refuses = {}
    await scene.post("office/servers/bank/register", {"field-name": "Bob"})
    await scene.until(lambda office: office.form is None)
    assert scene.office.user().name == "Bob"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "Name is missing"),
        ({"field-name": " "}, "Name is missing"),
        ({"field-name": "Ann", "field-account": "\u00c4" * 11}, "Account has more than 20 octets"),
    ],
)
async def test_what_the_template_does_not_take_is_not_sent(
    office_scene: OfficeScene, fields: dict[str, str], why: str
) -> None:
    scene = await at_form(office_scene)
    await scene.post("office/servers/bank/register", fields)
    await scene.until(lambda office: office.ended is not None)
    assert f"{why} (fields-wrong). Fill it in otherwise." in (await scene.get("office/servers/bank")).words
    assert scene.office.registrations == {}


async def test_the_longest_form_there_is(office_scene: OfficeScene, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = (Field("name", "Your name", FIELD_LIMIT, True), *(
        Field(f"a-field-with-a-long-name-{number:02}", "L" * 64, FIELD_LIMIT, True) for number in range(1, FIELDS_LIMIT)
    ))  # fmt: skip
    monkeypatch.setattr(reference_office, "FIELDS", fields)
    scene = await at_form(office_scene)
    filled = {f"field-{field.name}": "\u00e4" * (FIELD_LIMIT // 2) for field in fields}
    assert (await scene.post("office/servers/bank/register", filled)).status == 200
    await scene.until(lambda office: office.ended is not None)
    assert scene.office.user().name == "\u00e4" * (FIELD_LIMIT // 2)


async def test_a_form_is_closed_and_of_one_server_only(office_scene: OfficeScene) -> None:
    scene = await at_form(office_scene)
    await scene.post("office/servers/shop/register", ANN)
    assert "A bank of letters" not in (await scene.get("office/servers/shop")).words
    assert (await scene.post("office/give-up", {"page": "office/servers/a.b"})).path == "office/servers/a.b"
    assert "Register \u2026" in (await scene.get("office/servers/bank")).words
    await scene.post("office/servers/bank/register", ANN)
    assert scene.office.registrations == {}


@pytest.mark.clause("R6")
async def test_a_locked_phone_asks_nothing_and_shows_nothing(office_scene: OfficeScene) -> None:
    scene = await at_form(office_scene)
    asked = len(scene.office.asked)
    await scene.post("lock")
    for path in ("configure", "look", "servers/bank/form", "servers/bank/register"):
        assert (await scene.post(f"office/{path}", ANN)).path == "unlock", path
    for path in ("office", "office/servers/bank"):
        assert "Office" not in (await scene.get(path)).words
    assert len(scene.office.asked) == asked


async def test_a_server_that_nobody_knows(office_scene: OfficeScene) -> None:
    scene = await unlocked(office_scene)
    for path in ("office/servers/nobody", "office/servers/", "office/servers/Bank", "office/servers/../lock"):
        assert (await scene.get(path)).status == 404, path
    await scene.post("office/servers/nobody/form")
    await scene.until(lambda office: office.ended is not None)
    assert "The certificate is another server's (other-server)." in (await scene.get("office")).words


async def test_a_phone_without_an_office_has_no_such_page(scene: Scene) -> None:
    await scene.unlock()
    assert (await scene.get("office")).status == 404
    assert (await scene.post("office/look")).status == 404
    scene.phone.office = UnfinishedDoor("the serial number is missing")
    assert "Out of order The serial number is missing" in (await scene.get("office")).words
    assert (await scene.post("office/look")).status == 404


async def test_a_question_is_asked_beside_a_download(office_scene: OfficeScene) -> None:
    """Nothing of the office's has to be carried first."""
    await office_scene.unlock()
    await office_scene.fetching(2)
    carried = office_scene.carrier.carried
    await office_scene.ask()
    seen = await office_scene.get("office")
    assert "Log in to github.com" in seen.words
    await office_scene.post(f"sheets/{next(iter(office_scene.person.sheets)).id}", {"answer": "yes", "page": "office"})
    assert (await office_scene.asked[0]).is_yes
    assert office_scene.carrier.carried == carried

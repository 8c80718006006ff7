"""The page about the back office: what the device is at, what runs, what is newer, and what is in the way."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fob_device.components.loader import NO_DEPENDENCY, OUT_OF_TRIES
from fob_device.components.runtime.errors import RunFault
from fob_device.office.carrier import NotCarried
from fob_device.office.desk import OfficeDesk
from fob_device.office.showing import overview
from fob_device.overview.office import (
    Deed,
    Ended,
    HeldSet,
    InstalledComponent,
    ListedServer,
    OfficeOverview,
    RegisteredAt,
)
from fob_device.screen.web.render import Page, Renderer
from fob_device.screen.web.views.office import office_line, office_page
from fob_device.screen.web.views.refusals import REMEDIES, sentence
from fob_device.screen.web.views.status import status_of
from fob_device.workbench.power import Battery
from fob_protocol.office.configuration import Notice
from fob_protocol.office.errors import Fault
from fob_protocol.office.refusal_words import Remedy
from fob_protocol.office.refusals import Refusal
from support.device_bench import DATA, DeviceBench, on_bench, releases
from support.screen_scene import words_of

QUIET = OfficeOverview("FM-1", "meter-1", "running", "")
FETCHING = replace(QUIET, state="fetching", words="fetching Rates", done=3, total=8, seconds_left=43.0)
RATES = InstalledComponent("rates", "Rates", "1.0.0")
OLD = replace(RATES, id="slogan", title="Slogan", newer="1.2.0")
# A clock of this machine's time zone is what the phone shows.
MOMENT = datetime(2026, 11, 21, 12, 5).timestamp()


def rendered(office: OfficeOverview, *, is_connected: bool = True) -> str:
    status = status_of("Meter", datetime(2026, 11, 21, 12, 0), (), Battery(), is_locked=False)
    view = office_page(office, is_connected=is_connected)
    return Renderer("/t/").page(Page("office.html", "Office", view), status)


def said(office: OfficeOverview, **more: Any) -> str:
    """What stands on the page below its heading."""
    return words_of(rendered(office, **more)).split("Office ", 2)[-1]


def test_a_bar_while_components_are_fetched_and_none_else() -> None:
    assert 'max="8" value="3">37 %, about 50 s left</progress>' in rendered(FETCHING)
    assert "Fetching components Fetching Rates 37 %, about 50 s left" in said(FETCHING)
    assert "<progress" not in rendered(QUIET)
    assert "No component is installed." in said(QUIET)
    assert (office_line(FETCHING), office_line(QUIET)) == ("Fetching Rates, 37 %", "Configured")


@pytest.mark.parametrize(("done", "told"), [(0, 0), (1, 0), (2, 25), (3, 25), (4, 50), (7, 75), (8, 100)])
def test_a_reader_of_screens_hears_every_quarter_and_not_every_step(done: int, told: int) -> None:
    assert f'data-announce="Fetching components, {told} percent"' in rendered(replace(FETCHING, done=done))


def test_whoever_waits_for_a_computer_is_told_so() -> None:
    waiting = "No computer is connected; it goes on as soon as one is."
    assert f"Fetching components {waiting} 37 % " in said(FETCHING, is_connected=False)
    assert waiting not in said(FETCHING)
    assert waiting not in said(QUIET, is_connected=False)
    assert waiting not in said(replace(FETCHING, has_relay=False), is_connected=False)


@pytest.mark.clause("C11")
def test_exactly_what_is_outdated_is_an_upgrade() -> None:
    assert "Upgrades" not in said(replace(QUIET, components=(RATES,)))
    office = replace(QUIET, components=(RATES, OLD))
    assert "Upgrades Slogan 1.0.0 is installed 1.2.0 is there Configure now Look for upgrades" in said(office)
    assert office_line(office) == "1 upgrade is there"
    assert office_line(replace(QUIET, components=(OLD, OLD))) == "2 upgrades are there"


def test_what_runs_and_what_does_not_and_why() -> None:
    broken = replace(RATES, id="a", title="Zones", fault="no-dependency")
    reverted = InstalledComponent("Set 4", "Set 4", "", fault="out-of-tries")
    assert (
        "Components Rates version 1.0.0 runs"
        " Zones Version 1.0.0. A component that it needs does not run (no-dependency). Tap: Look for upgrades."
        " If there are none, ask who runs the office. does not run"
        " Set 4 The new set did not begin, and the old one runs again (out-of-tries)."
    ) in said(replace(QUIET, components=(RATES, broken, reverted)))


@pytest.mark.parametrize(
    ("office", "words"),
    [
        (replace(QUIET, held=HeldSet(3, "A")), "Set 3, in place A, confirmed"),
        (
            replace(FETCHING, held=HeldSet(3, "A"), candidate=HeldSet(4, "B")),
            "Next set 4, in place B, is fetched; set 3 is kept until it is confirmed",
        ),
        (replace(QUIET, state="trial", candidate=HeldSet(1, "A")), "Next set 1, in place A, on trial"),
    ],
)
def test_which_set_runs_and_which_is_tried(office: OfficeOverview, words: str) -> None:
    assert said(office).split(" Home Keys ")[0].endswith(words)
    assert "Serial number FM-1 Hardware meter-1" in said(office)


def test_servers_with_registration_and_levels() -> None:
    office = replace(
        QUIET,
        servers=(ListedServer("bank", "Bank"), ListedServer("post", "Post")),
        registrations=(
            RegisteredAt("bank", "Bank", "Ann", (("letters", 2), ("money", 1))), RegisteredAt("old", "Old", "Al", ()),
        ),
    )  # fmt: skip
    assert (
        "Servers Bank As Ann; letters: level 2, money: level 1 registered Post Not registered"
        " Old As Al; nothing may be used there registered"
    ) in said(office)
    assert 'href="/t/office/servers/bank"' in rendered(office)
    assert "No server is known yet." in said(QUIET)


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (Ended(Deed.LOOK, "", MOMENT), "12:05: No component has a newer version."),
        (Ended(Deed.CONFIGURE, "", MOMENT), "12:05: What was ordered runs."),
        (
            Ended(Deed.CONFIGURE, "", MOMENT, "unreachable"),
            "12:05: The office cannot be reached (unreachable). On the computer, type: fob doctor",
        ),
        (
            Ended(Deed.REGISTER, "bank", MOMENT, "fields-wrong", "name is missing"),
            "12:05: Name is missing (fields-wrong). Fill it in otherwise.",
        ),
    ],
)
def test_what_came_of_it(ended: Ended, words: str) -> None:
    assert words in said(replace(QUIET, ended=ended))


def test_what_is_in_the_way_stands_there_once() -> None:
    office = replace(QUIET, trouble="denied", ended=Ended(Deed.LOOK, "", MOMENT, "denied"))
    assert said(office).count("(denied)") == 1
    assert "it does not know it, or has no order for it (denied). Ask who runs the office." in office_line(office)


def test_nothing_is_asked_twice_at_a_time_nor_of_a_device_that_lacks_something() -> None:
    busy = said(replace(QUIET, doing=Deed.LOOK))
    assert "Configure now" not in busy
    assert "Wait no more" in busy
    lacking = OfficeOverview("", "", "unfinished", "the serial number is missing")
    assert "Out of order The serial number is missing" in said(lacking)
    assert "Configure now" not in said(lacking)


def test_every_refusal_is_a_sentence_that_says_what_to_do() -> None:
    assert set(REMEDIES) == set(Remedy)
    for refusal in {*Refusal, *Fault, *NotCarried, *RunFault, NO_DEPENDENCY, OUT_OF_TRIES, "device-error"}:
        words = sentence(refusal)
        assert f" ({refusal}). " in words, refusal
        assert words[0].isupper()
        assert any(words.endswith(remedy) for remedy in REMEDIES.values())
    assert sentence("a rule of tomorrow") == "A rule of tomorrow."


def test_names_of_others_steer_no_screen() -> None:
    office = replace(
        QUIET,
        components=(InstalledComponent("a", "<b>\u202e", "1.0.0", "wrong-digest"),),
        registrations=(RegisteredAt("bank", "Bank", "Ann<script>", (("letters", 2),)),),
    )
    page = rendered(office)
    assert "<script>" not in page.split("<main", 1)[-1].replace("<script ", "")
    assert "\u202e" not in page
    assert "wrong-digest" in page
    assert "letters: level 2" in page


def shown(bench: DeviceBench) -> OfficeOverview:
    """As its screen has it."""
    desk = OfficeDesk(bench.back_office, lambda: None, lambda: 0.0)
    return overview(bench.back_office, desk, has_relay=False)


def test_what_runs_is_shown_with_its_version(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = releases(bench.office)
        await bench.at_rest()
        office = shown(bench)
        assert [(one.title, one.version, one.fault) for one in office.components] == [
            ("Table", "1.0.0", ""), ("Echo", "1.0.0", ""), ("Looping", "1.0.0", ""),
        ]  # fmt: skip
        assert (office.serial, office.state, office.held) == ("FM-0001", "running", HeldSet(1, "A"))

    on_bench(tmp_path, story)


@pytest.mark.clause("C11", "C19")
def test_what_was_upgraded_is_no_upgrade_any_more(tmp_path: Path) -> None:
    """The office tells of what is newer than the device said that it has, in the very answer that brings it."""

    async def story(bench: DeviceBench) -> None:
        bench.office.order = releases(bench.office)
        await bench.at_rest()
        desk = OfficeDesk(bench.back_office, lambda: None, lambda: 0.0)
        bench.office.notices = (Notice("table", (1, 0, 0), (1, 2, 0)), Notice("echo", (1, 0, 0), (1, 1, 0)))
        desk.look()
        await bench.until(lambda: desk.ended is not None)
        assert [one.newer for one in shown(bench).components] == ["1.2.0", "1.1.0", ""]
        table = bench.office.signers.release("table", DATA, version=(1, 2, 0), kind=bench.office.order[0].release.kind)
        bench.office.order = [table, *bench.office.order[1:]]
        desk.configure()
        await bench.until(lambda: desk.doing is None)
        assert desk.ended == Ended(Deed.CONFIGURE, "", 0.0)
        assert [(one.version, one.newer) for one in shown(bench).components] == [
            ("1.2.0", ""), ("1.0.0", "1.1.0"), ("1.0.0", ""),
        ]  # fmt: skip

    on_bench(tmp_path, story)

"""What the office says of the data centre: on the page and to Prometheus, by what the supervisor left, and no key."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fob_office.centre.places import centre_folder
from fob_office.centre.seen import see_centre
from fob_office.centre.supervising.figures import FILE
from fob_office.http.centre_metrics import centre_text
from fob_office.page.centre import centre_page
from fob_office.page.render import Page, response
from support.office import OfficeScene
from support.seen_centre import seen_centre

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def folder(sqlite_scene: OfficeScene) -> Iterator[Path]:
    with seen_centre(sqlite_scene.office.settings.state, sqlite_scene.clock.time, HOSTILE) as made:
        yield made


def metrics(scene: OfficeScene) -> dict[str, float]:
    text = centre_text(scene.office.settings.state).decode()
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def shown(scene: OfficeScene) -> str:
    rendered = response(Page("centre.html", "Data centre", centre_page(scene.office), scene.clock.time))
    return bytes(rendered.body).decode()


def test_an_office_without_one_says_nothing_of_it(sqlite_scene: OfficeScene) -> None:
    assert metrics(sqlite_scene) == {}
    assert "This office has none" in shown(sqlite_scene)


def test_prometheus_is_told_what_is_done_refused_and_waits(sqlite_scene: OfficeScene, folder: Path) -> None:
    assert metrics(sqlite_scene) == {
        "fob_centre_ready": 1,
        'fob_centre_processes{kind="function",state="ready"}': 1,
        'fob_centre_processes{kind="meter",state="ready"}': 1,
        'fob_centre_processes{kind="meter",state="tampered"}': 1,
        'fob_centre_restarts_total{process="function-1"}': 0,
        'fob_centre_restarts_total{process="meter-1"}': 2,
        'fob_centre_restarts_total{process="meter-2"}': 0,
        'fob_centre_slots{process="meter-1"}': 64,
        'fob_centre_slots{process="meter-2"}': 0,
        "fob_centre_slots_alone": 64,
        "fob_centre_failovers_total": 1,
        "fob_centre_log_entries": 4321,
        "fob_centre_checkpoint_seconds": sqlite_scene.clock.time - 60,
        "fob_centre_warnings": 1,
        'fob_centre_done_total{deed="frank",process="function-1"}': 40,
        'fob_centre_done_total{deed="load",process="function-1"}': 2,
        'fob_centre_pieces_total{process="function-1"}': 1234,
        'fob_centre_refusals_total{code="insufficient-funds",process="function-1"}': 3,
        'fob_centre_questions_total{process="communication-1"}': 45,
        'fob_centre_unanswered_total{process="communication-1"}': 1,
        'fob_centre_waiting{process="communication-1"}': 4,
    }


def test_the_page_shows_processes_log_and_warnings_and_believes_nothing(
    sqlite_scene: OfficeScene, folder: Path
) -> None:
    page = shown(sqlite_scene)
    for words in (
        "meter-2",
        "tampered",
        "64 of 64",
        "4\N{NARROW NO-BREAK SPACE}321",
        "1 minute ago",
        "FM0100000017",
        "box remove meter-2",
    ):
        assert words in page
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


def test_what_is_damaged_or_stopped_is_no_error(sqlite_scene: OfficeScene) -> None:
    state = sqlite_scene.office.settings.state
    with seen_centre(state, sqlite_scene.clock.time) as folder:
        (folder / FILE).write_bytes(b"{")
        assert metrics(sqlite_scene)["fob_centre_ready"] == 1
    seen = see_centre(state, centre_folder(state))
    assert seen is not None
    assert (seen.status, seen.state) == (None, "stopped")
    assert metrics(sqlite_scene)["fob_centre_ready"] == 0
    assert "Nothing runs" in shown(sqlite_scene)

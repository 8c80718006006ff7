"""The page about the back office: who the device is there, what runs, who is registered where."""

from datetime import datetime
from pathlib import Path

from fob_device.office.showing import overview
from fob_device.overview.office import InstalledComponent, OfficeOverview, RegisteredAt
from fob_device.screen.web.render import Page, Renderer
from fob_device.screen.web.views.office import office_line, office_page
from fob_device.screen.web.views.status import status_of
from fob_device.workbench.power import Battery
from support.device_bench import DeviceBench, on_bench, releases


def rendered(office: OfficeOverview) -> str:
    status = status_of("Meter", datetime(2026, 11, 21, 12, 0), (), Battery(), is_locked=False)
    return Renderer("/t/").page(Page("office.html", "Office", office_page(office)), status)


def test_a_bar_while_components_are_fetched_and_none_else() -> None:
    fetching = OfficeOverview("FM-1", "meter-1", "fetching", "fetching Rates", 3, 8)
    assert 'max="8" value="3">3 of 8</progress>' in rendered(fetching)
    assert 'role="status"><b>Fetching components</b>' in rendered(fetching)
    quiet = OfficeOverview("FM-1", "meter-1", "running", "")
    assert "<progress" not in rendered(quiet)
    assert "Serial number FM-1, meter-1" in rendered(quiet)
    assert "No component is installed." in rendered(quiet)
    assert (office_line(fetching), office_line(quiet)) == ("fetching Rates", "Configured")


def test_names_of_others_steer_no_screen() -> None:
    office = OfficeOverview(
        "FM-1", "meter-1", "running", "",
        components=(InstalledComponent("a", "<b>\u202e", "1.0.0", "wrong-digest"),),
        registrations=(RegisteredAt("Bank", "Ann<script>", (("letters", 2),)),),
    )  # fmt: skip
    page = rendered(office)
    assert "<script>" not in page.split("<main", 1)[-1].replace("<script ", "")
    assert "\u202e" not in page
    assert "wrong-digest" in page
    assert "letters: level 2" in page


def test_what_runs_is_shown_with_its_version(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = releases(bench.office)
        await bench.at_rest()
        office = overview(bench.back_office)
        assert [(one.title, one.version, one.fault) for one in office.components] == [
            ("Table", "1.0.0", ""), ("Echo", "1.0.0", ""), ("Looping", "1.0.0", ""),
        ]  # fmt: skip
        assert (office.serial, office.state, office.set_number) == ("FM-0001", "running", 1)

    on_bench(tmp_path, story)

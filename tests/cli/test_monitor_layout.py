"""The live view's state and lines: exact texts for exact sizes, without a terminal."""

from typing import Any

import pytest

from cli.fob_program import plain_lines
from control.fake_daemon import FakeDaemon, log_entry
from control.fake_phone import FakePhone
from fob_daemon.cli.watching.known import TASK_SHOWN, Known
from fob_daemon.cli.watching.layout import MOST_ROWS, lines
from fob_daemon.control.grant_reports import Granted, Revoked
from fob_daemon.control.interface import Ask, ControlEvent, DeviceChange, DeviceState, Settled
from fob_daemon.control.json_form import to_json
from fob_daemon.control.office_reports import Progress, Relayed
from fob_daemon.control.sse import ServerEvent

WORDS = "log in to github.com with 'work' for ssh <- zsh on me@pc"
NOW = 1000.0
NAMES: dict[type[ControlEvent], str] = {
    Ask: "ask", Settled: "settled", Granted: "granted", Revoked: "revoked", DeviceChange: "device",
    Progress: "progress", Relayed: "relay",
}  # fmt: skip


@pytest.fixture
def known(daemon: FakeDaemon, phone: FakePhone) -> Known:
    """After the daemon's first report."""
    known = Known()
    known.report(report(daemon), NOW)
    return known


def report(daemon: FakeDaemon) -> dict[str, Any]:
    found = to_json(daemon.status())
    assert isinstance(found, dict)
    return found


def hear(known: Known, event: ControlEvent, at: float = NOW) -> bool:
    return known.hear(ServerEvent(NAMES[type(event)], to_json(event)), at)


def shown(known: Known, at: float = NOW, width: int = 100, height: int = 40) -> list[str]:
    """The lines without colours, and without what fills them up."""
    return plain_lines(lines(known, at, width, height))


def section(found: list[str], title: str) -> list[str]:
    """The rows under a title."""
    begin = next(number for number, line in enumerate(found) if line.startswith(title)) + 1
    end = next((number for number in range(begin, len(found)) if not found[number]), len(found))
    return found[begin:end]


def test_a_question_counts_down_and_goes_when_it_is_settled(known: Known) -> None:
    hear(known, Ask("pixel", WORDS, 60.0, 7))
    assert section(shown(known), "Look at your phone") == [f"     1:00  pixel         {WORDS}"]
    assert section(shown(known, NOW + 58.2), "Look at your phone") == [f"     0:02  pixel         {WORDS}"]
    hear(known, Settled("pixel", 8))
    assert len(known.questions(NOW)) == 1
    hear(known, Settled("pixel", 7))
    assert section(shown(known), "Look at your phone") == ["  nothing waits for you"]


def test_the_same_request_in_other_words_is_one_question(known: Known) -> None:
    hear(known, Ask("pixel", f"unlock the phone: {WORDS}", 60.0, 7))
    hear(known, Ask("pixel", WORDS, 40.0, 7), NOW + 20)
    hear(known, Ask("nokia", WORDS, 10.0, 7), NOW + 20)
    assert [(asked.device, asked.until) for asked in known.questions(NOW + 20)] == [
        ("nokia", NOW + 30), ("pixel", NOW + 60),
    ]  # fmt: skip


def test_a_question_whose_end_was_not_heard_ends_with_its_time(known: Known) -> None:
    hear(known, Ask("pixel", WORDS, 60.0, 7))
    assert known.questions(NOW + 60) == []


def test_traffic_as_rates_and_sums(known: Known, daemon: FakeDaemon) -> None:
    title, *_ = (line for line in shown(known, width=80) if line.startswith("Links"))
    assert title == "Links                      trips/s   sent/s received/s   trips     sent received"
    assert section(shown(known, width=80), "Links") == [
        "  pixel         ready          0.0      0 B        0 B      12    345 B    678 B",
        "    ready  serial:/dev/ttyUSB7?baud=115200",
    ]
    later = report(daemon)
    later["devices"][0] |= {"round_trips": 22, "bytes_sent": 12_345, "bytes_received": 678}
    known.report(later, NOW + 2)
    assert section(shown(known, NOW + 2, width=80), "Links")[0] == (
        "  pixel         ready          5.0   6.0 kB        0 B      22  12.3 kB    678 B"
    )
    known.report(report(daemon), NOW + 3)
    assert "-" not in section(shown(known, width=80), "Links")[0], "a daemon that started anew counts from zero"


def test_a_line_that_is_away_says_why(known: Known, daemon: FakeDaemon) -> None:
    daemon.change_device("pixel", DeviceState.AWAY, "the line ended")
    assert not hear(known, DeviceChange(daemon.devices["pixel"]))
    assert section(shown(known), "Links")[0].startswith("  pixel         away ")
    daemon.change_device("pixel", DeviceState.READY, "")
    assert hear(known, DeviceChange(daemon.devices["pixel"])), "what it allows may have changed"
    assert not hear(known, DeviceChange(daemon.devices["pixel"]))


def test_what_is_allowed_is_added_ends_and_is_taken_back(known: Known) -> None:
    known.list_allowed([{"device": "pixel", "number": 1, "seconds": 30_000, "words": "one"}], NOW)
    hear(known, Granted("pixel", 2, 300, "two"))
    hear(known, Granted("pixel", 3, 5, "three"))
    assert section(shown(known, NOW + 1), "Allowed without asking") == [
        "     0:04  pixel           3  three",
        "     4:59  pixel           2  two",
        "  8:19:59  pixel           1  one",
    ]
    assert [grant.number for grant in known.allowed(NOW + 5)] == [2, 1]
    hear(known, Revoked("pixel", 1))
    assert [grant.number for grant in known.allowed(NOW + 5)] == [2]
    hear(known, Revoked("nokia", 0))
    assert [grant.number for grant in known.allowed(NOW + 5)] == [2]
    hear(known, Revoked("pixel", 0))
    assert not any(line.startswith("Allowed") for line in shown(known))


def test_the_last_uses_newest_first_and_each_once(known: Known) -> None:
    entries = [to_json(log_entry(number)) for number in (1, 2)]
    known.list_uses([entry for entry in entries if isinstance(entry, dict)])
    for number in (2, 3):
        known.hear(ServerEvent("log", to_json(log_entry(number, "CKR_FUNCTION_REJECTED"))), NOW)
    uses = section(shown(known, width=200), "Last uses")
    assert [line.split()[-3] for line in uses] == ["CKR_FUNCTION_REJECTED", "OK", "OK"]
    assert uses[0].split("  ")[2:4] == ["ssh <- git", ""]


@pytest.mark.parametrize(("width", "height"), [(100, 40), (80, 24), (30, 8), (1, 1), (0, 0)])
def test_a_frame_covers_the_terminal_and_no_more(known: Known, width: int, height: int) -> None:
    for number in range(3 * MOST_ROWS):
        hear(known, Ask("pixel", WORDS, 60.0, number))
        hear(known, Granted("pixel", number + 1, 300, WORDS))
        known.hear(ServerEvent("log", to_json(log_entry(number + 1))), NOW)
    found = lines(known, NOW, width, height)
    widths = {sum(len(part if isinstance(part, str) else part.text) for part in line) for line in found}
    assert (len(found), widths) == (height, {width} if height else set())
    if height >= 24:
        assert f"  and {2 * MOST_ROWS} more" in shown(known, height=height)


def test_the_daemon_is_not_reached(known: Known) -> None:
    hear(known, Ask("pixel", WORDS, 60.0, 7))
    known.lose_daemon()
    for title in ("Look at your phone", "Links"):
        assert section(shown(known), title) == ["  not known: the daemon is not reached"]
    assert section(shown(Known()), "Links") == ["  not known: the daemon is not reached"]


def test_what_finds_no_room_is_marked(known: Known) -> None:
    hear(known, Ask("pixel", WORDS, 60.0, 7))
    known.hear(ServerEvent("log", to_json(log_entry(1, "CKR_FUNCTION_REJECTED"))), NOW)
    (question,) = section(shown(known, width=40), "Look at your phone")
    assert question == "     1:00  pixel         log in to gith…"
    (use,) = section(shown(known, width=60), "Last uses")
    assert len(use) == 60
    assert use.endswith("… CKR_FUNCTION_REJECTED  12 ms")


def test_nothing_is_paired_and_nothing_happened(daemon: FakeDaemon) -> None:
    known = Known()
    known.report({**report(daemon), "devices": [], "clients": []}, NOW)
    assert shown(known)[:4] == [
        "fob monitor    fobd 0.1.0, 0 programs connected    q or Ctrl-C ends",
        "",
        "Look at your phone",
        "  nothing waits for you",
    ]
    assert "  no device is paired" in shown(known)


def test_trouble_and_lost_events_are_said(known: Known) -> None:
    assert known.hear(ServerEvent("lost", {"count": 12}), NOW), "what was lost is asked for"
    known.hear(ServerEvent("lost", {"count": 3}), NOW)
    found = plain_lines(lines(known, NOW, 100, 40, "the daemon is not reachable"))
    assert found[1:3] == ["the daemon is not reachable", "15 events were lost: this terminal was too slow for them"]


def test_a_download_tells_how_far_it_is_and_how_long_still(known: Known) -> None:
    """At 9,600 baud a step takes nine seconds; a cut of half a minute changes little, and begins nothing anew."""
    hear(known, Progress("pixel", "fetching Rates", 2, 8))
    assert section(shown(known), "Back office") == ["  pixel         ██████··················  25 %  fetching Rates"]
    hear(known, Progress("pixel", "fetching Rates", 3, 8), NOW + 9)
    hear(known, Progress("pixel", "fetching Rates", 4, 8), NOW + 18)
    (row,) = section(shown(known, NOW + 18), "Back office")
    assert row == "  pixel         ████████████············  50 %  fetching Rates  about 40 s left"
    hear(known, Progress("pixel", "fetching Rates", 5, 8), NOW + 57)
    (row,) = section(shown(known, NOW + 57), "Back office")
    assert row == "  pixel         ███████████████·········  62 %  fetching Rates  about 30 s left"
    hear(known, Progress("pixel", "", 0, 0), NOW + 58)
    assert "Back office" not in "".join(shown(known, NOW + 58))


def test_why_a_download_does_not_go_on_stays_a_while(known: Known) -> None:
    hear(known, Relayed("pixel", "content", "fetching Rates", 2, 8, "unreachable", "it hung up", 0.1))
    hear(known, Progress("pixel", "", 0, 0))
    (row,) = section(shown(known), "Back office")
    assert row == "  pixel         ██████··················  25 %  fetching Rates  it hung up"
    assert "Back office" not in "".join(shown(known, NOW + TASK_SHOWN))

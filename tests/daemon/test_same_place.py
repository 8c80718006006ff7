"""Two phones at one line: who answers there is named, and what to do about the other one."""

from collections.abc import Iterator

import pytest

from support.live import Live, live_phone


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A paired phone that is gone, and another one at its line that is not paired yet."""
    with live_phone(tmp_path_factory.mktemp("place")) as live:
        live.kill_phone()
        live.scratch.phone.rename(live.folder / "gone")
        live.processes.make_phone()
        live.processes.start_phone()
        yield live


@pytest.fixture(scope="module")
def words_of_pairing(live: Live) -> str:
    """The new phone is paired too."""
    return told(live, "pair", f"serial:{live.scratch.line}", "--name", "new", "--yes")


def told(live: Live, *arguments: str) -> str:
    """Everything that is said."""
    done = live.run("fob", *arguments, check=False)
    return (done.stdout + done.stderr).decode()


def test_a_phone_that_was_made_anew_at_the_same_line(live: Live, words_of_pairing: str) -> None:
    old = live.device()["name"]
    assert f"'{old}' was paired here before. If that phone is gone for good: fob unpair {old}" in words_of_pairing
    gone, here = live.status()["devices"]
    assert (gone["name"], here["name"], here["state"]) == (old, "new", "ready")

    remedy = f"fob unpair {old}    (if it is gone for good)"
    assert gone["state"] in ("away", "refused")
    assert (gone["why"], gone["next"]) == ("another phone, 'new', answers there", remedy)
    assert [(line["why"], line["next"]) for line in gone["lines"]] == [(gone["why"], gone["next"])]
    for command in ("devices", "status", "doctor"):
        words = told(live, command)
        assert "another phone, 'new', answers there" in words
        assert remedy in words
        assert "another program" not in words
    assert live.run("fob", "keys", "list", "--device", "new").returncode == 0


def test_when_neither_answers_the_line_itself_is_why(live: Live, words_of_pairing: str) -> None:
    live.kill_phone()
    live.await_state("away", 1)
    assert not [device for device in live.status()["devices"] if "another phone" in device["why"]]
    live.processes.start_phone()
    live.await_state("ready", 1)

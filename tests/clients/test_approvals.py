"""`fob approvals` with a real daemon and phone: what ssh-keygen was allowed is listed, taken back, and asked again."""

import json
from collections.abc import Iterator

import pytest

from fob_daemon.cli.client import Client
from fob_daemon.control.sse import ServerEvent
from support.live import Live, live_phone

RULES = '[[approval]]\nkey = "P-256"\nafter = 0.1\nremember = 300\n'


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A phone whose person thinks for a moment and remembers a yes."""
    with live_phone(tmp_path_factory.mktemp("approvals"), rules=RULES) as phone:
        yield phone


def sign(live: Live) -> list[ServerEvent]:
    """What a follower of the daemon's events hears while ssh-keygen signs."""
    message = live.folder / "message"
    message.write_text("text")
    heard: list[ServerEvent] = []
    with Client(live.scratch.socket("control")).stream("GET", "events") as events:
        live.run("ssh-keygen", "-q", "-Y", "sign", "-f", str(live.ssh_key("P-256")), "-n", "git", str(message))
        for event in events:
            heard.append(event)
            if isinstance(event.data, dict) and event.data.get("operation") == "sign":
                break
    message.with_name("message.sig").unlink()
    return heard


def names(events: list[ServerEvent]) -> set[str]:
    """Those of the questions and grants."""
    return {event.name for event in events} - {"log"}


def test_what_was_allowed_is_listed_and_taken_back(live: Live) -> None:
    assert names(sign(live)) == {"ask", "settled", "granted"}
    (grant,) = json.loads(live.run("fob", "--json", "approvals", "list").stdout)["grants"]
    assert (grant["device"], grant["number"]) == (live.device()["name"], 1)
    assert grant["words"].startswith("sign a git commit with 'P-256' for ssh-keygen <- ")
    assert 290 < grant["seconds"] <= 300
    assert names(sign(live)) == set(), "it is remembered"

    live.run("fob", "approvals", "revoke", "1")
    assert live.run("fob", "approvals", "revoke", "1", check=False).returncode == 7
    again = next(event.data for event in sign(live) if event.name == "ask")
    assert isinstance(again, dict)
    assert "(asked again: the permission was taken back " in str(again["words"])


def test_all_at_once(live: Live) -> None:
    live.run("fob", "approvals", "revoke", "--all")
    assert live.run("fob", "approvals", "revoke", "--all", check=False).returncode == 7
    assert json.loads(live.run("fob", "--json", "approvals", "list").stdout)["grants"] == []

"""`fob monitor` beside a real daemon and phone: what it tells while ssh-keygen signs."""

import json
import select
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from support.live import Live, live_phone

RULES = '[[approval]]\nkey = "P-256"\nafter = 0.1\nremember = 300\n'


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A phone whose person thinks for a moment and remembers a yes."""
    with live_phone(tmp_path_factory.mktemp("monitor"), rules=RULES) as phone:
        yield phone


@pytest.fixture
def monitor(live: Live) -> Iterator["subprocess.Popen[str]"]:
    """`fob --json monitor`; it follows before a phone has started anew."""
    with subprocess.Popen(
        ["fob", "--json", "monitor"], env=live.environment, stdout=subprocess.PIPE, text=True
    ) as running:
        _await_following(live, running)
        yield running
        running.terminate()


def _await_following(live: Live, monitor: "subprocess.Popen[str]") -> None:
    """Another key is used until it tells of that."""
    assert monitor.stdout is not None
    message = live.folder / "earlier"
    message.write_text("text")
    for _ in range(50):
        live.run("ssh-keygen", "-q", "-Y", "sign", "-f", str(live.ssh_key("Ed25519")), "-n", "git", str(message))
        (live.folder / "earlier.sig").unlink()
        if select.select([monitor.stdout], [], [], 0.5)[0]:
            return
    raise AssertionError("the monitor tells nothing")


def heard_until_used(monitor: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """The events up to the use of the key."""
    assert monitor.stdout is not None
    found: list[dict[str, Any]] = []
    while not found or (found[-1]["event"], found[-1]["data"].get("key")) != ("log", "P-256"):
        found.append(json.loads(monitor.stdout.readline()))
    return found


def test_a_question_its_answer_and_what_is_remembered(live: Live, monitor: "subprocess.Popen[str]") -> None:
    message = live.folder / "message"
    message.write_text("text")
    live.kill_phone()
    live.start_phone()
    live.run("ssh-keygen", "-q", "-Y", "sign", "-f", str(live.ssh_key("P-256")), "-n", "git", str(message))
    heard = heard_until_used(monitor)

    assert [event["data"]["device"]["state"] for event in heard if event["event"] == "device"][-1] == "ready"
    by_name = {event["event"]: event["data"] for event in heard}
    assert by_name["ask"]["words"].startswith("sign a git commit with 'P-256' for ssh-keygen <- ")
    assert by_name["settled"]["request"] == by_name["ask"]["request"]
    assert by_name["granted"]["words"] == by_name["ask"]["words"]
    assert by_name["log"]["result"] == "OK"

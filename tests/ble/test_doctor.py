"""`fob doctor` and a lost bond, with real programs on the virtual radio: the command that it names heals it."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fob_daemon.link.ble.radio import FORGOTTEN_THERE
from support.live import BLE, Live, live_phone

pytestmark = [pytest.mark.slow, pytest.mark.clause("P7"), pytest.mark.timeout(240)]

WRONG_KEY = "00" * 16


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_phone(tmp_path, link=BLE) as live:
        live.await_state("ready")
        yield live


def findings(live: Live) -> dict[str, dict[str, Any]]:
    """By what was looked at, or is wrong."""
    report = json.loads(live.run("fob", "--json", "doctor", check=False).stdout)
    return {finding["what"]: finding for finding in report["findings"]}


def lose_the_bond(live: Live) -> None:
    """Another key on this side is none on the other."""
    live.processes.stop_daemon()
    file = live.folder / "daemon" / "bluetooth.json"
    content = json.loads(file.read_text())
    for keys in content["bonds"].values():
        keys["ltk"]["value"] = WRONG_KEY
    file.write_text(json.dumps(content))
    live.processes.start_daemon()
    live.await_state("refused")


def test_the_command_that_it_names_heals_a_lost_bond(live: Live) -> None:
    url = live.device()["url"]
    lose_the_bond(live)

    found = findings(live)

    assert found[f"Bluetooth controller unix-client:{live.folder}/air"]["why"] == "it answers"
    assert found["device 'demo-phone' is there and cannot be used"] == {
        "outcome": "fail",
        "what": "device 'demo-phone' is there and cannot be used",
        "why": f"{FORGOTTEN_THERE} ({url})",
        "next": f"fob pair {url}",
        "fix": None,
    }
    shown = live.run("fob", "status").stdout.decode()
    assert f"{FORGOTTEN_THERE}    try: fob pair {url}" in shown

    live.run(*shlex.split(found["device 'demo-phone' is there and cannot be used"]["next"]), "--yes")
    live.await_state("ready")
    assert findings(live)["device 'demo-phone'"]["why"] == f"ready, {url}"

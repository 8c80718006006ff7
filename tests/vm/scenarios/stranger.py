"""A central that is not paired, and one that pairs by Just Works, read and write nothing."""

import json
from typing import Any, Final

from vm.bench import Bench

TRIES: Final = ("write", "read to the device", "read to the PC", "read configuration", "subscribe")


def run(bench: Bench) -> None:
    """Every access is refused, while the phone's person would accept any pairing."""
    with bench.phone("stranger") as phone:
        address = bench.find(phone).removeprefix("ble:")
        bench.guest.check("systemctl stop fobd.service")
        refused(attempts(bench, address, "none"))
        bench.guest.check(f"bluetoothctl remove {address}")
        results = attempts(bench, address, "just-works")
        assert results["pair"] != "done", results
        refused(results)
        assert "Paired: yes" not in bench.guest.check(f"bluetoothctl info {address}")


def attempts(bench: Bench, address: str, agent: str) -> dict[str, Any]:
    """What a stranger gets."""
    output = bench.guest.check(f"python3 /fob/guest/stranger.py {address} {agent}", timeout=240.0)
    results: dict[str, Any] = json.loads(output.splitlines()[-1])
    return results


def refused(results: dict[str, Any]) -> None:
    """Nothing was done, and all was tried: on connections that were there, and could read what anybody may."""
    assert results["read name"] == "done", results
    assert results["notified"] == 0, results
    for name in TRIES:
        assert results[name] not in ("done", "not found"), results
        assert not results[name].startswith("connect:"), results

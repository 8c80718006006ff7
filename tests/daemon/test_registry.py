"""The registry of paired devices: names, slots, and files that were damaged."""

import json
from pathlib import Path

import pytest

from fob_daemon.device.registry import Registry, RegistryError

KEY = bytes(range(32))
GOOD = {"name": "p", "key": KEY.hex(), "serial": "1", "url": "serial:/x", "slot": 1, "paired_at": 1.0}


def test_slots_stay_and_names_are_told_apart(tmp_path: Path) -> None:
    registry = Registry.load(tmp_path / "devices.json")
    first = registry.add("phone", KEY, "1", "serial:/a", 1.0)
    second = registry.add("phone", bytes(32), "2", "serial:/b", 2.0)
    assert [(e.name, e.slot) for e in (first, second)] == [("phone", 1), ("phone 2", 2)]
    registry.remove("phone")
    assert registry.add("other", bytes([7]) * 32, "3", "serial:/c", 3.0).slot == 1
    again = Registry.load(tmp_path / "devices.json")
    assert again.devices == registry.devices
    assert again.add("renamed", bytes(32), "2", "serial:/d", 4.0).name == "phone 2"
    with pytest.raises(RegistryError, match="no device is called 'nobody'"):
        again.remove("nobody")


def test_the_file_is_readable_for_people(tmp_path: Path) -> None:
    path = tmp_path / "devices.json"
    Registry.load(path).add("p", KEY, "1", "serial:/x", 1.0)
    assert json.loads(path.read_text()) == [GOOD]
    assert len(path.read_text().splitlines()) > len(GOOD)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[{}]",
        "[1]",
        '{"a": 1}',
        "[" * 200_000,
        json.dumps([GOOD | {"url": None}]),
        json.dumps([GOOD | {"url": "nowhere"}]),
        json.dumps([GOOD | {"key": "zz"}]),
        json.dumps([GOOD | {"key": "00"}]),
        json.dumps([GOOD | {"key": 5}]),
        json.dumps([GOOD | {"key": KEY.hex() + "\n"}]),
        json.dumps([GOOD | {"name": ""}]),
        json.dumps([GOOD | {"slot": 0}]),
        json.dumps([GOOD | {"slot": True}]),
        json.dumps([GOOD | {"colour": "blue"}]),
        json.dumps([GOOD, GOOD | {"slot": 2}]),
        json.dumps([GOOD, GOOD | {"name": "q"}]),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "devices.json"
    path.write_text(content)
    with pytest.raises(RegistryError, match=r"devices\.json is damaged"):
        Registry.load(path)

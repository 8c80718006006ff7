"""The registry of paired devices: names, slots, and files that were damaged."""

import errno
import json
from pathlib import Path

import pytest

from fob_daemon.device.registry import Registry, RegistryError
from fob_daemon.link.transport import LineUrl

KEY = bytes(range(32))
GOOD = {"name": "p", "key": KEY.hex(), "serial": "1", "urls": ["serial:/x"], "slot": 1, "paired_at": 1.0}


def test_slots_stay_and_names_are_told_apart(tmp_path: Path) -> None:
    registry = Registry.load(tmp_path / "devices.json")
    first = registry.add("phone", KEY, "1", LineUrl.parse("serial:/a"), 1.0)
    second = registry.add("phone", bytes(32), "2", LineUrl.parse("serial:/b"), 2.0)
    assert [(e.name, e.slot) for e in (first, second)] == [("phone", 1), ("phone 2", 2)]
    registry.remove("phone")
    assert registry.add("other", bytes([7]) * 32, "3", LineUrl.parse("serial:/c"), 3.0).slot == 1
    again = Registry.load(tmp_path / "devices.json")
    assert again.devices == registry.devices
    assert again.add("pixel", bytes(32), "2", LineUrl.parse("serial:/d"), 4.0).name == "phone 2"
    with pytest.raises(RegistryError, match="no device is called 'nobody'"):
        again.remove("nobody")


def test_a_device_that_is_paired_again_gets_the_name_that_is_wanted(tmp_path: Path) -> None:
    registry = Registry.load(tmp_path / "devices.json")
    line = LineUrl.parse("serial:/a")
    registry.add("pixel", KEY, "1", line, 1.0, wanted="work")
    registry.add("nokia", bytes(32), "2", LineUrl.parse("serial:/b"), 2.0)

    for wanted, name in (("home", "home"), (None, "home"), ("home", "home"), ("nokia", "nokia 2")):
        entry = registry.add("pixel", KEY, "1", line, 3.0, wanted=wanted)
        assert (entry.name, entry.slot) == (name, 1)
        assert list(Registry.load(tmp_path / "devices.json").devices) == [name, "nokia"]


def test_a_device_has_one_line_of_each_kind_and_the_cable_comes_first(tmp_path: Path) -> None:
    registry = Registry.load(tmp_path / "devices.json")
    for url in ("ble:C0:11:22:33:44:55", "serial:/a", "serial:/b"):
        entry = registry.add("phone", KEY, "1", LineUrl.parse(url), 1.0)
    assert (entry.name, entry.urls) == ("phone", ("serial:/b", "ble:C0:11:22:33:44:55"))
    assert Registry.load(tmp_path / "devices.json").devices == {"phone": entry}


def test_the_file_is_readable_for_people(tmp_path: Path) -> None:
    path = tmp_path / "devices.json"
    Registry.load(path).add("p", KEY, "1", LineUrl.parse("serial:/x"), 1.0)
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
        json.dumps([GOOD | {"urls": None}]),
        json.dumps([GOOD | {"urls": ["nowhere"]}]),
        json.dumps([GOOD | {"urls": []}]),
        json.dumps([GOOD | {"urls": ["serial:/x", "serial:/y"]}]),
        json.dumps([GOOD | {"urls": ["ble:C0:11:22:33:44:55", "serial:/x"]}]),
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


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_change_that_cannot_be_stored_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "devices.json"
    registry = Registry.load(path)
    entry = registry.add("phone", KEY, "1", LineUrl.parse("serial:/a"), 1.0)
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(*(("os.fsync", refuse) if failing == "fsync" else ("pathlib.Path.replace", refuse)))
        for change in (
            lambda: registry.add("phone", KEY, "1", LineUrl.parse("serial:/b"), 2.0),
            lambda: registry.add("other", bytes(32), "2", LineUrl.parse("serial:/b"), 2.0),
            lambda: registry.remove("phone"),
        ):
            with pytest.raises(RegistryError) as refused:
                change()
            assert str(refused.value) == f"{path} cannot be written: No space left on device"
    assert registry.devices == {"phone": entry}
    assert (path.read_bytes(), [name.name for name in tmp_path.iterdir()]) == (before, ["devices.json"])
    registry.remove("phone")
    assert Registry.load(path).devices == {}


def test_room_is_asked_for_without_a_trace(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "devices.json"
    registry = Registry.load(path)
    with pytest.raises(RegistryError, match=r"devices\.json cannot be written: No such file or directory"):
        registry.require_room(0)
    path.parent.mkdir()
    registry.require_room(4096)
    assert list(path.parent.iterdir()) == []

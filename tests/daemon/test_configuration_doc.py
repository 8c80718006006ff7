"""docs/configuration.md has every entry of the configuration file, with its default and its bounds."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from fob_daemon.config import Config, load_config

TEXT = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
ROWS = {row[0]: row[1:] for row in re.findall(r"^\| `([a-z_.]+)` \| (.*?) \| (.*?) \| .* \|$", TEXT, re.MULTILINE)}


def entries(kind: type[msgspec.Struct], prefix: str = "") -> dict[str, Any]:
    """The type of every entry, by its dotted name."""
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            found |= entries(hint, f"{prefix}{name}.")
        else:
            found[prefix + name] = hint
    return found


def default(name: str) -> Any:
    value: Any = Config()
    for part in name.split("."):
        value = getattr(value, part)
    return value


def bounds(hint: Any) -> list[msgspec.Meta]:
    return [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]


def test_every_entry_is_described_and_no_other() -> None:
    assert set(ROWS) == set(entries(Config))


@pytest.mark.parametrize(("name", "hint"), entries(Config).items())
def test_default_and_bounds_are_the_real_ones(name: str, hint: Any) -> None:
    value, given = ROWS[name]
    if isinstance(default(name), float):
        (meta,) = bounds(hint)
        least = f"over {meta.gt}, at most {meta.le}" if meta.ge is None else f"{meta.ge} to {meta.le}"
        assert (value.removeprefix("seconds, "), given) == (least, f"`{default(name):g}`")
    elif name.startswith("log."):
        assert (re.findall("`(.*?)`", value), given) == ([*get_args(hint)], f"`{default(name)}`")
    elif name == "sockets.allowed_uids":
        assert (default(name), given) == (frozenset(), "`[]`")
    elif name == "bluetooth.hci":
        assert (default(name), given) == (None, "none: BlueZ")
    elif name.startswith("office."):
        assert (default(name), given.partition(":")[0]) == (None, "none")
    else:
        assert value == "path"


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "fobd.toml").write_text(example)
    config = load_config(tmp_path / "fobd.toml")
    assert config.timeouts.private_operation == tomllib.loads(example)["timeouts"]["private_operation"]

"""What the meter's programs have in common stands once: a copy is changed without its likes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CENTRE = "back_office/fob_office/centre"
METERING = (
    CENTRE, "protocol/fob_protocol/metering", "daemon/fob_daemon/metering", "device_emulator/fob_device/metering",
    "daemon/fob_daemon/cli/metering", "daemon/fob_daemon/control", "back_office/fob_office/cli/centre",
)  # fmt: skip


def assigned(source: str) -> Iterator[tuple[str, str]]:
    """Name and value of the constants of a module."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            yield ast.unparse(node.target).lstrip("_"), ast.unparse(node.value)


def places(name: str, folders: tuple[str, ...]) -> list[str]:
    """Where a constant of this name gets a value that is not another one's."""
    return [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if any(found == name for found, _ in assigned(path.read_text(encoding="utf-8")))
    ]


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("DAY", METERING),
        ("LIMITS", (f"{CENTRE}/founding", f"{CENTRE}/boxes")),
        ("STATUS", (CENTRE, "back_office/fob_office/cli/centre")),
        ("ENTRY", METERING),
        ("ID_SIZE", (CENTRE,)),
        ("ACCOUNT_SIZE", METERING),
        ("HASH_SIZE", METERING),
        ("ADDRESS_LIMIT", METERING),
    ],
)
def test_a_constant_has_one_place(name: str, folders: tuple[str, ...]) -> None:
    assert len(places(name, folders)) <= 1


@pytest.mark.parametrize("literal", ["(1 << 53) - 1", '"fob-office centre status"'])
def test_a_literal_that_has_a_name_stands_nowhere_else(literal: str) -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in METERING
        for path in (ROOT / folder).rglob("*.py")
        if literal in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_constants_are_found() -> None:
    assert list(assigned("_A: Final = 1\nB = 2\nC: int\n")) == [("A", "1")]

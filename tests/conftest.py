"""The clause marker: a test names the requirements that it proves, and only ones that exist."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

CLAUSES = Path(__file__).with_name("clauses.toml")


def known_clauses() -> set[str]:
    """Every clause id of tests/clauses.toml."""
    sections = tomllib.loads(CLAUSES.read_text(encoding="utf-8")).values()
    return {clause for section in sections for clause in section["clauses"]}


def unknown_clauses(items: Iterable[pytest.Item], known: set[str]) -> list[str]:
    """One sentence for each id in a marker that is not known."""
    return [
        f"{item.nodeid}: unknown clause {clause!r}; tests/clauses.toml lists the ids"
        for item in items
        for marker in item.iter_markers("clause")
        for clause in marker.args
        if clause not in known
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if problems := unknown_clauses(items, known_clauses()):
        raise pytest.UsageError(*problems)

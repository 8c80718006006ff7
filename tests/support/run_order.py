"""Which files of tests are begun first when several workers share them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TypeVar


class Planned(Protocol):
    """Of a test (pytest.Item), what its place depends on."""

    path: Path

    def get_closest_marker(self, name: str) -> object:
        """The marker, None without one."""


Item = TypeVar("Item", bound=Planned)


def longest_first(items: Iterable[Item]) -> list[Item]:
    """By file: those with a slow test, then those with many; so no worker is left alone with a long one at the end."""
    items = list(items)
    tests = Counter(item.path for item in items)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    return sorted(items, key=lambda item: (item.path not in slow, -tests[item.path]))

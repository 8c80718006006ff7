"""Who is asked first, where several can answer: each in its turn, so that load spreads."""

from collections.abc import Sequence
from typing import TypeVar

ItemT = TypeVar("ItemT")


class Rotation:
    """Of one asker."""

    def __init__(self) -> None:
        self._turn = 0

    def of(self, items: Sequence[ItemT]) -> list[ItemT]:
        """All of them, with another one in front each time."""
        self._turn += 1
        first = self._turn % len(items) if items else 0
        return [*items[first:], *items[:first]]

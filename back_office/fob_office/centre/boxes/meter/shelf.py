"""What a meter box asks of its store; boxes.store has one."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from fob_office.centre.boxes.rows import Row


class Shelf(Protocol):
    """Rows by table and key; what was put first is written first."""

    async def put_all(self, rows: Iterable[Row]) -> None:
        """All of them or none, on the disk when this returns. It is queued before anything is awaited."""

    def get(self, table: str, key: bytes) -> bytes | None:
        """What was last put there, and is on the disk."""

    def after(self, table: str, key: bytes, most: int) -> Sequence[Row]:
        """At most so many rows with greater keys, in order."""

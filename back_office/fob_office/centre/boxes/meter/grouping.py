"""One run for all that wait: several transactions share a commit, and a message to the second."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Grouped(Generic[T]):
    """`work` is run for at most `most` items at once, one run after another, in the order in which they came."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]], most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def do(self, item: T) -> None:
        """Done when this returns. Raises what `work` raises, for all items of a run."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                await self._work([item for item, _ in group])
            except Exception as error:
                _settle(group, error)
            else:
                _settle(group, None)
        self._task = None


def _settle(group: Sequence[tuple[T, "asyncio.Future[None]"]], error: Exception | None) -> None:
    for _, done in group:
        if done.done():
            continue
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(error)

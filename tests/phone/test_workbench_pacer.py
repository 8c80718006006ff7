"""One direction of a slow line: when octets arrive, in which order, and how many may wait."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fob_device.workbench.pacer import STEP, WAITING_LIMIT, Pacer
from support.virtual_loop import run_virtually


class End:
    """What has arrived, and when."""

    def __init__(self) -> None:
        self.arrived: list[tuple[float, bytes]] = []

    def __call__(self, data: bytes) -> None:
        """Octets."""
        self.arrived.append((asyncio.get_running_loop().time(), data))

    @property
    def octets(self) -> bytes:
        """All of them."""
        return b"".join(data for _, data in self.arrived)


def tell(rate: int, story: Callable[[Pacer, End], Coroutine[Any, Any, None]]) -> None:
    """A story in virtual time."""

    async def whole() -> None:
        end = End()
        await story(Pacer(end, rate), end)

    run_virtually(whole())


def test_octets_arrive_one_by_one_where_each_takes_its_time() -> None:
    async def story(pacer: Pacer, end: End) -> None:
        pacer.carry(b"abc")
        await asyncio.sleep(1)
        assert [data for _, data in end.arrived] == [b"a", b"b", b"c"]
        assert [at for at, _ in end.arrived] == pytest.approx([0.1, 0.2, 0.3])

    tell(10, story)


def test_they_arrive_in_steps_on_a_faster_line() -> None:
    async def story(pacer: Pacer, end: End) -> None:
        pacer.carry(bytes(100))
        await asyncio.sleep(1)
        assert {len(data) for _, data in end.arrived[:-1]} == {int(960 * STEP)}
        assert end.arrived[-1][0] == pytest.approx(100 / 960)

    tell(960, story)


def test_a_line_that_was_idle_owes_no_time() -> None:
    async def story(pacer: Pacer, end: End) -> None:
        await asyncio.sleep(5)
        pacer.carry(b"a")
        await asyncio.sleep(5)
        pacer.carry(b"b")
        await asyncio.sleep(5)
        assert [at for at, _ in end.arrived] == pytest.approx([5.01, 10.01])

    tell(100, story)


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=50), st.integers(10, 5000), st.none()), max_size=30))
def test_nothing_is_lost_doubled_or_overtaken_whatever_the_rate_becomes(
    events: list[bytes | int | None],
) -> None:
    async def story(pacer: Pacer, end: End) -> None:
        sent = b""
        for event in events:
            if isinstance(event, bytes):
                pacer.carry(event)
                sent += event
            else:
                pacer.set_rate(event)
            await asyncio.sleep(0.003)
        pacer.set_rate(None)
        assert end.octets == sent

    tell(500, story)


def test_what_is_cleared_does_not_arrive() -> None:
    async def story(pacer: Pacer, end: End) -> None:
        pacer.carry(b"lost")
        pacer.clear()
        pacer.carry(b"kept")
        await asyncio.sleep(1)
        assert end.octets == b"kept"

    tell(1000, story)


def test_more_than_may_wait_is_lost() -> None:
    async def story(pacer: Pacer, end: End) -> None:
        pacer.carry(bytes(WAITING_LIMIT - 1))
        pacer.carry(b"ab")
        pacer.carry(b"c")
        pacer.carry(b"d")
        pacer.set_rate(None)
        assert end.octets == bytes(WAITING_LIMIT - 1) + b"c"

    tell(10, story)

"""Who starts with all the others meets nobody at first: that is one line, and no warning until it lasts."""

from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from fob_office.centre.boxes.meter.handing import Fetching
from fob_office.centre.boxes.meter.ownership import Ownership
from fob_office.centre.boxes.meter.taking import Taking
from fob_office.centre.bus.errors import AwayError, BusRefusedError
from fob_office.centre.commands.meter import Handed
from fob_office.centre.function import refunding
from fob_office.centre.function.changing import Changing
from fob_office.centre.function.paying import Paying
from fob_office.centre.function.refunding import Refunding
from fob_office.centre.words import Word


class Lacking:
    """A second of 64 slots whose owner answers as `trouble` says."""

    number = 1

    def __init__(self) -> None:
        self.trouble: Exception = AwayError("meter-1", "no such file", was_sent=False)

    def lacking(self) -> tuple[tuple[int, str], ...]:
        return tuple((slot, "meter-1") for slot in range(64))

    async def ask(self, name: str, command: object) -> Handed:
        raise self.trouble


async def test_slots_that_wait_for_their_owner_are_one_line() -> None:
    lacking = Lacking()
    fetching = Fetching(cast(Ownership, lacking), cast(Taking, None), cast(Any, lacking))
    with capture_logs() as lines:
        for _ in range(3):
            assert not await fetching.fetch_all()
    assert [(line["log_level"], line["event"], line["count"]) for line in lines] == [
        ("info", "slots are not fetched yet", 64)
    ]
    lacking.trouble = BusRefusedError(Word.MALFORMED, "rows that were not asked for")
    with capture_logs() as lines:
        assert not await fetching.fetch_all()
    assert [line["log_level"] for line in lines] == ["warning"]


class Absent:
    """Nobody who keeps a database, for so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    async def any(self, *_: object) -> object:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("enough was seen")
        raise BusRefusedError(Word.UNAVAILABLE, "no database server answers")


async def test_payouts_that_wait_are_told_of_once_and_not_at_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refunding, "PAUSE", 0.0)
    for looks, count in ((2, 0), (20, 1)):
        with capture_logs() as lines, pytest.raises(RuntimeError, match="enough"):
            await Refunding(cast(Any, Absent(looks)), cast(Changing, None), cast(Paying, None), lambda: 0).pay_out()
        assert [line["event"] for line in lines] == ["payouts wait"] * count

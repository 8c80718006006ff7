"""What the file of a meter forgets: what the data centre tells as well, and nothing that nobody else knows."""

from pathlib import Path

import pytest

from fob_daemon.metering.jobs import Done, Kind, Money, Order
from fob_daemon.metering.kept.forgetting import ORDERS_KEPT
from fob_daemon.metering.kept.store import MeterStore
from fob_daemon.metering.limits import RATE_COMMAND
from fob_daemon.metering.views import MeterState, Piece

METER = MeterState("ready", "ada", "FM07000000019", "eur-cent", 0, 0, 0, 0, 0, 0, 0, 0, "", "", "")
NONE = Money()
LETTER = Piece("20095", "Erika", "letter", grams=20, zone="domestic")


class Kept:
    """A file in which orders are done."""

    def __init__(self, path: Path) -> None:
        self.store = MeterStore.at(path)
        self._orders = 0

    def done(self, kind: Kind, job: int | None = None, *, pieces: int = 0, money: Money = NONE) -> None:
        """One more order, asked, done and taken; of a batch its next pieces."""
        self._orders += 1
        waiting = self.store.jobs.waiting(job, pieces) if job is not None else []
        first = waiting[0][0] if waiting else 0
        id_ = self._orders.to_bytes(16)
        order = Order(id_, kind, job=job, first=first, pieces=tuple(piece for _, piece in waiting), money=money)
        self.store.orders.begin(order)
        self.store.orders.finish(order, Done(METER.serial, self._orders, 95, pieces, 0, b"record"), METER.value_kind)
        self.store.orders.taken(id_)

    def batch(self, pieces: int) -> int:
        """One that nothing is paid of; what is old is forgotten."""
        job = self.store.jobs.begin(RATE_COMMAND, 0, METER)
        self.store.jobs.add(job, [LETTER] * pieces)
        return job

    def loads(self, count: int) -> None:
        """So many orders of no batch."""
        for _ in range(count):
            self.done(Kind.LOAD, money=Money(95))


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "meter.db")


@pytest.mark.clause("M29")
def test_an_indicium_that_was_given_back_stays_so_however_much_is_paid_after_it(kept: Kept) -> None:
    kept.done(Kind.REFUND, money=Money(None, b"indicium", b"token"))
    kept.done(Kind.REFUND, money=Money(95))
    kept.loads(ORDERS_KEPT)
    kept.batch(1)
    assert kept.store.orders.record(METER.serial, 2) is None
    assert kept.store.orders.given_back() == {b"indicium"}


def test_a_batch_is_forgotten_whole(kept: Kept) -> None:
    job = kept.batch(2)
    kept.done(Kind.FRANK, job, pieces=1)
    kept.loads(ORDERS_KEPT - 1)
    kept.done(Kind.FRANK, job, pieces=1)
    kept.store.jobs.close(job)
    kept.batch(1)
    found = kept.store.jobs.one(job)
    assert found is not None
    assert (found.done, found.total, len(kept.store.orders.kept(job, 9))) == (2, 2, 2)

    kept.loads(ORDERS_KEPT)
    kept.batch(1)
    assert (kept.store.jobs.one(job), kept.store.orders.kept(job, 9)) == (None, [])

"""Orders in a meter's file, and the transactions that they came to."""

import json

from fob_daemon.metering.jobs import Done, Kept, Kind, Money, Order, Standing
from fob_daemon.metering.kept.file import StoreFile
from fob_daemon.metering.views import Piece


class OrderRows:
    """Methods raise what those of StoreFile do."""

    def __init__(self, file: StoreFile) -> None:
        self._file = file

    def open(self) -> Order | None:
        """The one that is not settled: asked, or done and not taken."""
        found = self._file.row(
            "SELECT id, kind, standing, orders.job, first, count, money, coalesce(command, ''), "
            "coalesce(jobs.serial, '') FROM orders LEFT JOIN jobs ON jobs.job = orders.job WHERE standing < ?",
            int(Standing.TAKEN),
        )
        if found is None:
            return None
        id_, kind, standing, job, first, count, money, command, serial = found
        rows = self._file.rows(
            "SELECT piece FROM pieces WHERE job = ? AND place >= ? AND place < ? ORDER BY place",
            job, first, first + count,
        )  # fmt: skip
        pieces = tuple(Piece(**json.loads(piece)) for (piece,) in rows)
        return Order(
            bytes(id_), Kind(kind), Standing(standing), job, command, serial, first, pieces, _money(money)
        )  # fmt: skip

    def begin(self, order: Order) -> None:
        """It is going to be asked."""
        with self._file.changing() as database:
            database.execute(
                "INSERT INTO orders (id, kind, standing, job, first, count, money) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    order.id, int(order.kind), int(Standing.ASKED), order.job, order.first, len(order.pieces),
                    _money_text(order.money),
                ),
            )  # fmt: skip

    def finish(self, order: Order, done: Done, value_kind: str) -> None:
        """What came of it. `value_kind`: as its indicia say, empty for none.

        The addresses of its pieces are not needed any more.
        """
        with self._file.changing() as database:
            database.execute(
                "UPDATE orders SET standing = ?, serial = ?, counter = ?, amount = ?, time = ?, record = ?, count = ? "
                "WHERE id = ?",
                (
                    int(Standing.DONE), done.serial, done.counter, done.amount, done.time, done.transaction,
                    done.pieces, order.id,
                ),
            )  # fmt: skip
            database.execute(
                "UPDATE jobs SET value_kind = ? WHERE job = ? AND value_kind = ''", (value_kind, order.job)
            )
            last = order.first + len(order.pieces)
            database.execute(
                "DELETE FROM pieces WHERE job = ? AND place >= ? AND place < ?", (order.job, order.first, last)
            )

    def taken(self, order: bytes) -> None:
        """The device keeps it no more."""
        with self._file.changing() as database:
            database.execute("UPDATE orders SET standing = ? WHERE id = ?", (int(Standing.TAKEN), order))

    def drop(self, order: bytes) -> None:
        """It was never done."""
        with self._file.changing() as database:
            database.execute("DELETE FROM orders WHERE id = ? AND standing = ?", (order, int(Standing.ASKED)))

    def record(self, serial: str, counter: int) -> bytes | None:
        """A meter's transaction with this counter, as it was signed."""
        found = self._file.row(
            "SELECT record FROM orders WHERE serial = ? AND counter = ? AND record IS NOT NULL ORDER BY number DESC",
            serial, counter,
        )  # fmt: skip
        return bytes(found[0]) if found else None

    def record_of(self, order: bytes) -> bytes:
        """The transaction that an order came to."""
        return bytes(self._file.row("SELECT record FROM orders WHERE id = ?", order)[0])

    def kept(self, job: int | None, limit: int, serial: str | None = None) -> list[Kept]:
        """Transactions that franked, the newest first; of one batch, of one meter, or of all."""
        rows = self._file.rows(
            "SELECT serial, counter, coalesce(job, 0), count, amount, time FROM orders "
            "WHERE record IS NOT NULL AND count > 0 AND kind <> ? AND coalesce(?, job) IS job "
            "AND coalesce(?, serial) = serial ORDER BY number DESC LIMIT ?",
            # Files of before count the indicium that a refund gave back.
            int(Kind.REFUND), job, serial, limit,
        )  # fmt: skip
        return [Kept(*row) for row in rows]

    def given_back(self) -> set[bytes]:
        """Indicia that this computer gave back."""
        rows = self._file.rows("SELECT money FROM orders WHERE kind = ? AND record IS NOT NULL", int(Kind.REFUND))
        return {indicium for (text,) in rows if (indicium := _money(text).indicium) is not None}


def _money_text(money: Money) -> str:
    return json.dumps([money.amount, (money.indicium or b"").hex(), (money.token or b"").hex()])


def _money(text: str) -> Money:
    amount, indicium, token = json.loads(text)
    return Money(amount, bytes.fromhex(indicium) or None, bytes.fromhex(token) or None)

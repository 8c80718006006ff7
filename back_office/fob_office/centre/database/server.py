"""What a database server answers (fob_office.centre.commands.database)."""

from collections.abc import Callable
from functools import partial
from typing import Final

from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.commands import Done
from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.bus.passes import Kind, Pass
from fob_office.centre.bus.signers import Key
from fob_office.centre.commands.database import (
    Fetch,
    Fetched,
    FetchLog,
    FetchLogHead,
    FetchLogState,
    FetchLost,
    FetchMeters,
    FetchOrders,
    FetchPayouts,
    FetchRows,
    FetchRowsOf,
    FetchTransactions,
    FetchWarnings,
    FindMailer,
    LogHead,
    LogPage,
    LogState,
    Lost,
    Mailer,
    Meters,
    NoteOrder,
    OrdersPage,
    PaidOut,
    Payouts,
    Reindex,
    Reindexed,
    Release,
    Reserve,
    Rows,
    Scan,
    Scanned,
    Store,
    Stored,
    Transactions,
    Warn,
    Warnings,
)
from fob_office.centre.database import log, noting, reading, reindexing, reserving, rows
from fob_office.centre.database.checkpoints import log_state
from fob_office.centre.database.issued import is_lost
from fob_office.centre.database.keeping import Keeper
from fob_office.centre.database.limits import RECEIPT_LIMIT, SERIAL_LIMIT, WORD_LIMIT
from fob_office.centre.database.prepared import (
    check_number,
    check_serial,
    check_size,
    check_text,
    malformed,
    name_of,
    prepare,
)
from fob_office.centre.following import ID_SIZE
from fob_office.centre.limits import WARNING_LIMIT
from fob_office.centre.warning import warning_of
from fob_office.centre.words import Word
from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.metering.limits import INDICIUM_LIMIT
from fob_protocol.metering.vouchers import Receipt, read_receipt
from fob_protocol.office.errors import OfficeError

_FUNCTION: Final = (Kind.FUNCTION,)
_OPERATOR: Final = (Kind.OPERATOR,)
_BOTH: Final = (Kind.FUNCTION, Kind.OPERATOR)


class DatabaseServer:
    """`clock`: seconds since 1970. `grown` is told how many entries the log got. `signer` as `prepare` says.

    `provider`: the key of a payment provider.
    """

    def __init__(
        self, keeper: Keeper, clock: Callable[[], int], grown: Callable[[int], None], signer: Key, provider: Key
    ) -> None:
        self._keeper = keeper
        self._signer = signer
        self._provider = provider
        self._clock = clock
        self._grown = grown

    def table(self) -> Table:
        """Who may ask what."""
        return {
            Fetch: row(_BOTH, self.fetch),
            FindMailer: row(_FUNCTION, self.find_mailer),
            Store: row(_FUNCTION, self.store),
            FetchTransactions: row(_BOTH, self.fetch_transactions),
            FetchLogState: row(_BOTH, self.fetch_log_state),
            FetchLog: row(_OPERATOR, self.fetch_log),
            FetchLogHead: row(_OPERATOR, self.fetch_log_head),
            FetchOrders: row(_OPERATOR, self.fetch_orders),
            NoteOrder: row(_OPERATOR, self.note_order),
            Warn: row((*_BOTH, Kind.TRANSACTION, Kind.AUTHENTICATION, Kind.PAYMENT), self.warn),
            FetchWarnings: row(_OPERATOR, self.fetch_warnings),
            FetchPayouts: row(_BOTH, self.fetch_payouts),
            PaidOut: row(_FUNCTION, self.paid_out),
            Reserve: row(_FUNCTION, self.reserve),
            Release: row(_FUNCTION, self.release),
            Scan: row(_OPERATOR, self.scan),
            FetchLost: row(_OPERATOR, self.fetch_lost),
            FetchMeters: row(_OPERATOR, self.fetch_meters),
            Reindex: row(_OPERATOR, self.reindex),
            FetchRows: row(_OPERATOR, self.fetch_rows),
            FetchRowsOf: row(_OPERATOR, self.fetch_rows_of),
        }

    async def fetch(self, _: Pass, asked: Fetch) -> Fetched:
        """In one look."""
        check_text(asked.serial, SERIAL_LIMIT)
        return await self._keeper.read(partial(reading.fetch, asked=asked))

    async def find_mailer(self, _: Pass, asked: FindMailer) -> Mailer:
        """Nobody has what is no name."""
        name = name_of(asked.name)
        return await self._keeper.read(partial(reading.find_mailer, place=asked.place, name=name))

    async def store(self, peer: Pass, asked: Store) -> Stored:
        """Durable."""
        try:
            prepared = prepare(asked, self._clock(), self._signer)
        except BusRefusedError as error:
            if error.word == Word.TAMPERING:
                # Whoever asks for this is the last one to tell of it.
                why = f"{peer.name}: {error.why}"
                await self.warn(peer, warning_of(error.word, asked.serial, why, self._clock()))
            raise
        stored = await self._keeper.store(prepared)
        if stored.is_new:
            self._grown(len(prepared.leaves))
        return stored

    async def fetch_transactions(self, _: Pass, asked: FetchTransactions) -> Transactions:
        """Of one meter."""
        check_text(asked.serial, SERIAL_LIMIT)
        check_number(asked.after, asked.count)
        return await self._keeper.read(partial(reading.fetch_transactions, asked=asked))

    async def fetch_log_state(self, _: Pass, asked: FetchLogState) -> LogState:
        """The newest checkpoint."""
        check_number(asked.size)
        return await self._keeper.read(partial(log_state, size=asked.size))

    async def fetch_log(self, _: Pass, asked: FetchLog) -> LogPage:
        """A page."""
        check_number(asked.index)
        return LogPage(await self._keeper.read(partial(log.entries, index=asked.index)))

    async def fetch_log_head(self, _: Pass, asked: FetchLogHead) -> LogHead:
        """As it stands, or stood."""
        if asked.size is None:
            frontier = await self._keeper.read(log.head)
        else:
            check_number(asked.size)
            frontier = await self._keeper.read(partial(log.head_at, size=asked.size))
        return LogHead(frontier.size, frontier.hashes)

    async def fetch_orders(self, _: Pass, asked: FetchOrders) -> OrdersPage:
        """A page."""
        check_number(asked.index)
        return await self._keeper.read(partial(log.orders, index=asked.index))

    async def note_order(self, _: Pass, asked: NoteOrder) -> Done:
        """For ever."""
        check_size(asked.order, RECEIPT_LIMIT)
        done = await self._keeper.write(partial(noting.note_order, asked=asked))
        self._grown(1)
        return done

    async def reindex(self, _: Pass, asked: Reindex) -> Reindexed:
        """Of one meter."""
        check_serial(asked.serial)
        return await self._keeper.write(partial(reindexing.reindex, serial=asked.serial))

    async def warn(self, _: Pass, asked: Warn) -> Done:
        """Durable too."""
        check_text(asked.word, WORD_LIMIT)
        check_text(asked.serial, SERIAL_LIMIT)
        check_text(asked.why, WARNING_LIMIT)
        check_number(asked.time)
        done = await self._keeper.write(partial(noting.warn, asked=asked))
        self._grown(1)
        return done

    async def fetch_warnings(self, _: Pass, asked: FetchWarnings) -> Warnings:
        """A page."""
        check_number(asked.after)
        return await self._keeper.read(partial(reading.fetch_warnings, asked=asked))

    async def fetch_payouts(self, _: Pass, asked: FetchPayouts) -> Payouts:
        """A page."""
        check_number(asked.after)
        return await self._keeper.read(partial(reading.fetch_payouts, asked=asked))

    async def paid_out(self, _: Pass, asked: PaidOut) -> Done:
        """Once or again."""
        check_text(asked.serial, SERIAL_LIMIT)
        check_number(asked.number)
        check_size(asked.receipt, RECEIPT_LIMIT)
        said = self._said(asked.receipt)
        done = await self._keeper.write(partial(noting.pay_out, asked=asked, said=said))
        self._grown(1)
        return done

    def _said(self, receipt: bytes) -> Receipt:
        """Raises BusRefusedError TAMPERING: no provider said so."""
        try:
            return read_receipt(self._provider(sign1.signer_of(receipt)), receipt)
        except (CoseError, OfficeError) as error:
            raise BusRefusedError(Word.TAMPERING, f"no receipt of a payment provider: {error}") from None

    async def scan(self, _: Pass, asked: Scan) -> Scanned:
        """An entry of the log, where it is noted."""
        check_text(asked.serial, SERIAL_LIMIT)
        check_number(asked.counter, asked.piece, asked.time)
        check_size(asked.indicium, INDICIUM_LIMIT)
        if len(asked.id) != ID_SIZE:
            raise malformed(f"an id has {ID_SIZE} octets")
        if not asked.is_noted:
            return await self._keeper.read(partial(noting.look_up, asked=asked))
        scanned = await self._keeper.write(partial(noting.scan, asked=asked))
        self._grown(1)
        return scanned

    async def fetch_lost(self, _: Pass, asked: FetchLost) -> Lost:
        """By the notes of the log."""
        check_text(asked.serial, SERIAL_LIMIT)
        check_number(asked.counter)
        return Lost(await self._keeper.read(partial(is_lost, serial=asked.serial, counter=asked.counter)))

    async def reserve(self, _: Pass, asked: Reserve) -> Done:
        """Once or again."""
        _check_reservation(asked)
        done = await self._keeper.write(partial(reserving.reserve, asked=asked))
        self._grown(1)
        return done

    async def release(self, _: Pass, asked: Release) -> Done:
        """Once or again."""
        _check_reservation(asked)
        done = await self._keeper.write(partial(reserving.release, asked=asked))
        self._grown(1)
        return done

    async def fetch_meters(self, _: Pass, asked: FetchMeters) -> Meters:
        """A page."""
        check_text(asked.after, SERIAL_LIMIT)
        check_number(asked.count)
        return await self._keeper.read(partial(reading.fetch_meters, asked=asked))

    async def fetch_rows(self, _: Pass, asked: FetchRows) -> Rows:
        """A page."""
        table = rows.table_of(asked.table)
        return await self._keeper.read(partial(rows.rows_after, table=table, after=asked.after))

    async def fetch_rows_of(self, _: Pass, asked: FetchRowsOf) -> Rows:
        """Some of a page."""
        table = rows.table_of(asked.table)
        return await self._keeper.read(partial(rows.rows_of, table=table, keys=asked.keys))


def _check_reservation(asked: Reserve | Release) -> None:
    """Raises BusRefusedError MALFORMED."""
    check_size(asked.indicium, INDICIUM_LIMIT)
    check_number(asked.time)
    if len(asked.request_id) != ID_SIZE:
        raise malformed(f"a request id has {ID_SIZE} octets")

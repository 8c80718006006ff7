"""Money that went out of meters and did not reach its mailers yet (M29)."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fob_office.centre.commands.database import FetchPayouts, Payouts
from fob_office.centre.rising import check_rising
from fob_protocol.metering.transaction import unverified_transaction
from fob_protocol.office.errors import OfficeError


class Waiting(NamedTuple):
    """How many, and the time of the oldest refund, as far as it can be read."""

    number: int
    since: int | None


async def payouts_waiting(ask: Callable[[FetchPayouts], Awaitable[Payouts]]) -> Waiting:
    """Of whom `ask` asks, a database server; those under way just now too. Raises as `ask`, BusRefusedError."""
    count, since, after = 0, None, 0
    while payouts := (await ask(FetchPayouts(after))).payouts:
        check_rising("refunds of the database", after, (payout.id for payout in payouts))
        count += len(payouts)
        after = payouts[-1].id
        since = _time_of(payouts[0].transaction) if since is None else since
    return Waiting(count, since)


def _time_of(transaction: bytes) -> int | None:
    try:
        return unverified_transaction(transaction).time
    except OfficeError:
        return None

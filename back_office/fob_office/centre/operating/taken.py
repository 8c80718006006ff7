"""Money that was taken of mailers and did not come onto its meter yet (M29)."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fob_office.centre.commands.payment import FetchOpen, Open
from fob_office.centre.rising import check_rising
from fob_protocol.cose import sign1
from fob_protocol.metering.vouchers import Receipt
from fob_protocol.office.message import read


class Taken(NamedTuple):
    """A payment, with its fee, as the provider's receipt says."""

    serial: str
    number: int
    amount: int
    time: int
    account: str


async def taken_waiting(ask: Callable[[FetchOpen], Awaitable[Open]]) -> list[Taken]:
    """Of whom `ask` asks, a payment provider, by serial and number.

    Raises as `ask`, BusRefusedError, CoseError, OfficeError.
    """
    found: list[Taken] = []
    after = ("", 0)
    while receipts := (await ask(FetchOpen(*after))).receipts:
        page = [_taken(signed) for signed in receipts]
        check_rising("receipts of the payment provider", after, map(_place, page))
        found += page
        after = _place(page[-1])
    return found


def _place(taken: Taken) -> tuple[str, int]:
    return taken.serial, taken.number


def _taken(signed: bytes) -> Taken:
    said = read(Receipt, sign1.unverified_payload(signed))
    return Taken(said.serial, said.number, said.amount + said.fee, said.time, said.account.hex())

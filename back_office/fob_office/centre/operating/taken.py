"""Money that was taken of mailers and did not come onto its meter yet (M29)."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fob_office.centre.commands.payment import FetchOpen, Open
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
    """Of whom `ask` asks, a payment provider, by serial and number. Raises as `ask`, CoseError, OfficeError."""
    found: list[Taken] = []
    while receipts := (await ask(FetchOpen(*_place(found)))).receipts:
        found += map(_taken, receipts)
    return found


def _place(found: list[Taken]) -> tuple[str, int]:
    return (found[-1].serial, found[-1].number) if found else ("", 0)


def _taken(signed: bytes) -> Taken:
    said = read(Receipt, sign1.unverified_payload(signed))
    return Taken(said.serial, said.number, said.amount + said.fee, said.time, said.account.hex())

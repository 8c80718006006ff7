"""What a data centre needs of a payment provider. An adapter to a real one is another class of this shape."""

from collections.abc import Sequence
from typing import Protocol

from fob_office.centre.commands.payment import PayBack
from fob_protocol.metering.vouchers import ChargeOrder


class PaymentRefusedError(Exception):
    """The provider says no; nothing was taken or given. The text is for people."""


class Payments(Protocol):
    """Each number of a serial is done once, and durably; asked again it gives the same receipt, whatever is asked.

    What goes back has numbers of its own.
    """

    async def charge(self, asked: ChargeOrder) -> bytes:
        """Take money: a Receipt, signed. Raises PaymentRefusedError; the number is still free then."""

    async def pay_back(self, asked: PayBack) -> bytes:
        """Give money back: a Receipt with a negative amount, signed. Raises PaymentRefusedError."""

    async def paid(self, serial: str, number: int) -> bytes | None:
        """The receipt of what was taken under this number; None: it is free."""

    async def open(self, after: tuple[str, int], until: int) -> Sequence[bytes]:
        """Receipts of money that was taken until then and is not known to have come in, by serial and number."""

    async def came_in(self, serial: str, request_id: bytes, amount: int) -> bool:
        """What was taken by this request, fee and all, is on its meter; False: no such payment was taken."""

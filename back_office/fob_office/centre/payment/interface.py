"""What a data centre needs of a payment provider. An adapter to a real one is another class of this shape."""

from typing import Protocol

from fob_office.centre.commands.payment import Charge, PayBack


class PaymentRefusedError(Exception):
    """The provider says no; nothing was taken or given. The text is for people."""


class Payments(Protocol):
    """Each number of a serial is done once, and durably; asked again it gives the same receipt, whatever is asked."""

    async def charge(self, asked: Charge) -> bytes:
        """Take money: a Receipt, signed. Raises PaymentRefusedError; the number is still free then."""

    async def pay_back(self, asked: PayBack) -> bytes:
        """Give money back: a Receipt with a negative amount, signed. Raises PaymentRefusedError."""

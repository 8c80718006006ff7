"""Asked of the payment provider (M29). Each number of a serial is done once and said again."""

from fob_office.centre.bus.commands import Command, Reply


class Receipted(Reply, frozen=True):
    """A Receipt as it was signed; of another request, when that one came first under this number."""

    receipt: bytes


class Charge(Command[Receipted], frozen=True):
    """Take money of the mailer; `is_settlement`: what was owed. FUNCTION. Refused `payment-refused`."""

    account: bytes
    serial: str
    number: int
    amount: int
    request: bytes
    request_id: bytes
    is_settlement: bool


class PayBack(Command[Receipted], frozen=True):
    """Give back what a refund took out of a meter: `transaction`, as a transaction box signed it. FUNCTION.

    Once for each `request_id`, which is that of the transaction, and only to the account that paid. Refused
    `payment-refused`, `tampering` (it is not what the transaction says).
    """

    account: bytes
    serial: str
    number: int
    amount: int
    request: bytes
    request_id: bytes
    transaction: bytes

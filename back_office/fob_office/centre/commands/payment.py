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
    """Give money back. FUNCTION."""

    account: bytes
    serial: str
    number: int
    amount: int
    request: bytes

"""What a data centre's payment provider has done, as its book says."""

from sqlalchemy import Connection, select

from fob_office.centre.payment.ledger import open_ledger
from fob_office.centre.payment.process import FILE
from fob_office.centre.payment.tables import PAYMENTS
from fob_protocol.cose import sign1
from fob_protocol.metering.vouchers import Receipt
from fob_protocol.office.message import read
from support.data_centre import DataCentre


def receipts(connection: Connection, serial: str) -> list[bytes]:
    """Of a meter: what came, and then what went back, each in the order of their numbers."""
    of_meter = select(PAYMENTS.c.receipt).where(PAYMENTS.c.serial == serial)
    return list(connection.scalars(of_meter.order_by(PAYMENTS.c.is_back, PAYMENTS.c.number)))


def payments_of(centre: DataCentre, serial: str) -> tuple[int, int]:
    """What was charged for a meter, signing up too, and what was paid back."""
    ledger = open_ledger(centre.folder / "payment-1" / FILE)
    try:
        with ledger.read() as connection:
            signed = receipts(connection.connection(), serial)
    finally:
        ledger.close()
    receipts_read = [read(Receipt, sign1.unverified_payload(one)) for one in signed]
    amounts = [one.amount + one.fee for one in receipts_read]
    return sum(amount for amount in amounts if amount > 0), -sum(amount for amount in amounts if amount < 0)

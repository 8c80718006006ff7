"""*transaction record*: what was done with a meter, signed by a transaction box (M6, X6)."""

from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from fob_protocol.cose import sign1
from fob_protocol.cose.errors import CoseError
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed
from fob_protocol.metering.limits import BATCH_LIMIT
from fob_protocol.metering.values import Amount, Indicated, Serial
from fob_protocol.office.errors import Fault, OfficeError
from fob_protocol.office.message import Count, Message, Nonce, Octets32, Time, read


class TransactionRecord(Message, tag=1, frozen=True):
    """`before` and `after` are H of the meter records as they were signed; `integrity` is the ticket's value (X6).

    `fee` was paid besides the amount, for signing up: by the first load or settlement that was paid for (M30).
    """

    request_id: Nonce
    serial: Serial
    deed: Deed
    counter: Count
    amount: Amount
    ascending: Count
    descending: Count
    loads: Count
    pieces: Count
    indicia: Annotated[tuple[Indicated, ...], Meta(max_length=BATCH_LIMIT)]
    integrity: Octets32 | None
    time: Time
    before: Octets32 | None
    after: Octets32
    fee: Amount = 0

    def signed(self, box: Ed25519PrivateKey) -> bytes:
        """As a transaction box gives it out."""
        return sign1.sign(box, Label.TRANSACTION_RECORD, [], self.octets())


def read_transaction(box: bytes, signed: bytes) -> TransactionRecord:
    """What a transaction box (its public key) signed. Raises OfficeError WRONG_SIGNATURE, MALFORMED."""
    try:
        return read(TransactionRecord, sign1.verify(box, Label.TRANSACTION_RECORD, [], signed))
    except CoseError as error:
        raise OfficeError(Fault.WRONG_SIGNATURE, f"no transaction record: {error}") from None


def unverified_transaction(signed: bytes) -> TransactionRecord:
    """What it says, for whoever keeps it as it came. Raises OfficeError MALFORMED."""
    try:
        return read(TransactionRecord, sign1.unverified_payload(signed))
    except CoseError as error:
        raise OfficeError(Fault.MALFORMED, str(error)) from None

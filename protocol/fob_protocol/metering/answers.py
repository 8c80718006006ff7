"""What service `metering` answers (docs/meter-protocol.md, section 4)."""

from typing import Annotated

from msgspec import Meta

from fob_protocol.metering.kinds import MeterState, Payment
from fob_protocol.metering.limits import BATCH_LIMIT, BOXES_LIMIT, HISTORY_LIMIT, KINDS_LIMIT, ORIGINS_LIMIT
from fob_protocol.metering.log.limits import PROOF_LIMIT
from fob_protocol.metering.records import Limits, Refill
from fob_protocol.metering.values import Account, Amount, Indicated, Postcode, Registers, Serial, ValueKind
from fob_protocol.office.message import Message, Octets32


class TermsGiven(Message, tag=0x10, frozen=True):
    """`passes` of the authentication boxes that answer now, signed by the manufacturing box."""

    value_kinds: Annotated[tuple[ValueKind, ...], Meta(max_length=KINDS_LIMIT)]
    # The least that is loaded at once, and what signing up costs.
    deposit: Amount
    fee: Amount
    passes: Annotated[tuple[bytes, ...], Meta(min_length=1, max_length=BOXES_LIMIT)]


class SignedUp(Message, tag=1, frozen=True):
    """`key` is the user authentication key, sealed to the device's sealing key. Of sign-up and sign-on."""

    account: Account
    serial: Serial
    key: bytes
    registers: Registers


class About(Message, tag=2, frozen=True):
    """`checkpoint` of the log, signed; `proof` that it goes on from the size that the device holds."""

    state: MeterState
    value_kind: ValueKind
    registers: Registers
    limits: Limits
    payment: Payment
    refill: Refill | None
    origins: Annotated[tuple[Postcode, ...], Meta(max_length=ORIGINS_LIMIT)]
    checkpoint: bytes | None
    proof: Annotated[tuple[Octets32, ...], Meta(max_length=PROOF_LIMIT)]
    # Of the boxes that sign transactions and checkpoints.
    passes: Annotated[tuple[bytes, ...], Meta(max_length=BOXES_LIMIT)]
    # Of what signing up costs, not yet paid.
    fee: Amount = 0


class Franked(Message, tag=3, frozen=True):
    """In the order of the pieces; `transaction` as it was signed."""

    indicia: Annotated[tuple[Indicated, ...], Meta(min_length=1, max_length=BATCH_LIMIT)]
    registers: Registers
    transaction: bytes


class Loaded(Message, tag=4, frozen=True):
    """`transaction` as it was signed."""

    registers: Registers
    transaction: bytes


class Refunded(Message, tag=5, frozen=True):
    """`transaction` as it was signed."""

    registers: Registers
    transaction: bytes


class History(Message, tag=6, frozen=True):
    """Transactions as they were signed, oldest first, as many as one answer holds; none is the end."""

    transactions: Annotated[tuple[bytes, ...], Meta(max_length=HISTORY_LIMIT)]

"""What the database holds of meters and mailers, signed by boxes (M5, M7; docs/meter-protocol.md, section 3)."""

from typing import Annotated

from msgspec import Meta

from fob_protocol.metering.kinds import Freshness, MeterState, Payment
from fob_protocol.metering.limits import ORIGINS_LIMIT
from fob_protocol.metering.values import (
    Account,
    Amount,
    Charge,
    Epoch,
    KeyVersion,
    LoginName,
    Postcode,
    Registers,
    Serial,
    ValueKind,
    WrappedKey,
)
from fob_protocol.office.message import Count, Message, Octets32, Time


class Fresh(Message, frozen=True):
    """What this record has and no other of the meter: beside the counter 16 random octets, or those and a time."""

    kind: Freshness
    random: Annotated[bytes, Meta(max_length=16)] | None
    time: Time | None


class Limits(Message, frozen=True):
    """Most for one piece and for a day; how much may be owed. `day` counts from 1970, UTC."""

    piece: Charge
    daily: Charge
    credit: Amount
    spent: Amount
    day: Count


class MeterRecord(Message, tag=1, frozen=True):
    """*meter record*, made and signed in the meter box that owns the meter."""

    serial: Serial
    account: Account
    value_kind: ValueKind
    state: MeterState
    registers: Registers
    freshness: Fresh
    # Number of the last payment that came in.
    funds: Count
    limits: Limits
    key_version: KeyVersion
    token_key: WrappedKey
    # H of the request by which this record came to be.
    last: Octets32
    time: Time
    epoch: Epoch
    # Of what signing up costs, not yet paid: it goes with the first payment (M30).
    fee: Amount = 0


class Refill(Message, frozen=True):
    """Load `amount` when the descending register is below `below` (M29)."""

    below: Charge
    amount: Charge


class UserRecord(Message, tag=1, frozen=True):
    """*user record*, made and signed in an authentication box. `holder` is the device's public key."""

    account: Account
    name: LoginName
    verifier: Annotated[str, Meta(max_length=256)]
    key: WrappedKey
    holder: Octets32
    is_active: bool
    counter: Count
    payment: Payment
    refill: Refill | None
    # The first is where a piece comes from that does not say it (M28).
    origins: Annotated[tuple[Postcode, ...], Meta(min_length=1, max_length=ORIGINS_LIMIT)]
    # Of the last sign-up, sign-on or change, so that it is done once.
    last: Octets32
    time: Time
    epoch: Epoch

    def __repr__(self) -> str:
        return f"UserRecord(account={self.account.hex()}, counter={self.counter})"

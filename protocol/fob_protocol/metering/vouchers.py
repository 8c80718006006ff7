"""What boxes and the payment provider vouch for in a transaction (docs/meter-protocol.md, section 3)."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fob_protocol.cose import sign1
from fob_protocol.cose.labels import Label
from fob_protocol.metering.kinds import Deed, Freshness
from fob_protocol.metering.records import Limits
from fob_protocol.metering.values import (
    Account,
    Amount,
    Epoch,
    KeyVersion,
    Serial,
    Signed,
    ValueKind,
    WrappedKey,
)
from fob_protocol.office.message import Count, Message, Name, Nonce, Octets32, Time, read


class Permission(Message, tag=1, frozen=True):
    """*permission*, of an authentication box: the mailer asked for exactly this. `pieces` is H of what is franked."""

    account: Account
    request_digest: Octets32
    deed: Deed
    serial: Serial
    amount: Amount
    pieces: Octets32 | None
    time: Time


class Receipt(Message, tag=1, frozen=True):
    """*receipt*, of the payment provider: money that came, or (less than nothing) went back.

    `number` counts from 1 what came; of what went back it is the counter of the refund.
    `request_id` is the id of the request that it came by; `is_settlement`: it pays what was owed.
    """

    request_digest: Octets32
    serial: Serial
    number: Count
    amount: Signed
    is_settlement: bool
    request_id: Nonce
    time: Time
    # Whose money it is.
    account: Account
    # What was paid besides, for signing up (M30).
    fee: Amount = 0

    def signed(self, provider: Ed25519PrivateKey) -> bytes:
        """As the provider gives it out."""
        return sign1.sign(provider, Label.RECEIPT, [], self.octets())


class Due(Message, tag=1, frozen=True):
    """*due*, of a meter box: what its newest record says of money. `number`: the next payment's; `counter`: its own.

    `pieces` is H of those that the meter would frank, if it had the money; null: it was not asked about any.
    """

    serial: Serial
    account: Account
    number: Count
    counter: Count
    descending: Count
    owed: Count
    fee: Amount
    time: Time
    pieces: Octets32 | None = None


class ChargeOrder(Message, tag=1, frozen=True):
    """*charge order*, of a transaction box: this may be taken of this account, for this meter, under this number."""

    account: Account
    serial: Serial
    number: Count
    amount: Amount
    request_digest: Octets32
    request_id: Nonce
    is_settlement: bool
    time: Time
    fee: Amount = 0

    def signed(self, box: Ed25519PrivateKey) -> bytes:
        """As a transaction box gives it out."""
        return sign1.sign(box, Label.CHARGE_ORDER, [], self.octets())


class FundRecord(Message, tag=1, frozen=True):
    """*fund record*, of a transaction box: this money is the meter's. `receipt` is H of it; null is owed.

    `number` is the receipt's; of what is owed the counter of the record that it goes onto.
    """

    request_digest: Octets32
    serial: Serial
    number: Count
    amount: Amount
    receipt: Octets32 | None
    # It pays what was owed, and is no new postage.
    is_settlement: bool
    time: Time
    epoch: Epoch
    account: Account
    # What was paid besides, for signing up: it comes onto no register (M30).
    fee: Amount = 0


class MeterOrder(Message, tag=1, frozen=True):
    """*meter order*, of the steel box, which made serial and token key: a meter box may begin this meter, once (M8)."""

    serial: Serial
    account: Account
    value_kind: ValueKind
    freshness: Freshness
    limits: Limits
    key_version: KeyVersion
    token_key: WrappedKey
    request_digest: Octets32
    time: Time
    fee: Amount = 0


class UserOrder(Message, tag=1, frozen=True):
    """*user order*, of the steel box, which made the key: for a new user record, or one with a new key (M14).

    `sealing_key` (X25519) is the one that the key was sealed to: nobody between has it made for a device of his own.
    """

    account: Account
    key: WrappedKey
    sealing_key: Octets32
    request_digest: Octets32
    time: Time


class KeyOrder(Message, tag=1, frozen=True):
    """*key order*, of the steel box: an operator wants this of the meter whose record has this counter (M31)."""

    deed: Deed
    serial: Serial
    counter: Count
    limits: Limits | None
    time: Time


class LogOrder(Message, tag=1, frozen=True):
    """*log order*, of the steel box: the log was put back to `size` entries; the transaction box of this name, which
    signed `before` of them, goes on from there. The order is the log's next entry.
    """

    box: Name
    before: Count
    root_before: Octets32
    size: Count
    root: Octets32
    time: Time


class MailerOrder(Message, tag=1, frozen=True):
    """*mailer order*, of the steel box: a user record that was put back (H of it) is followed by one with this counter.

    Nobody has the `key`: the mailer signs on again.
    """

    account: Account
    record: Octets32
    counter: Count
    key: WrappedKey
    time: Time


def read_receipt(provider: bytes, signed: bytes) -> Receipt:
    """What the provider (its public key) signed. Raises CoseError, OfficeError MALFORMED."""
    return read(Receipt, sign1.verify(provider, Label.RECEIPT, [], signed))


def read_charge_order(box: bytes, signed: bytes) -> ChargeOrder:
    """What a transaction box (its public key) signed. Raises CoseError, OfficeError MALFORMED."""
    return read(ChargeOrder, sign1.verify(box, Label.CHARGE_ORDER, [], signed))

"""Asked of meter boxes (M20), by function servers and by one another."""

import msgspec

from fob_office.centre.bus.commands import Command, Done, Reply
from fob_protocol.office.message import Nonce, Octets32


class Act(msgspec.Struct, frozen=True, array_like=True):
    """What a change is for. `request_digest` is H of the request; `integrity` the ticket's value, of a frank (X6)."""

    # A meter record with a request of another size could never be read again.
    request_digest: Octets32
    request_id: Nonce
    integrity: Octets32 | None


class Made(msgspec.Struct, frozen=True, array_like=True):
    """An indicium and its token."""

    indicium: bytes
    token: bytes


class Changed(Reply, frozen=True):
    """What a meter's last transaction was: the standing, as far as others may know it.

    `before` is H of the record that it began with (null: there was none), `record` the one after it, as it was made.
    Of a credit, `indicia` is the one given back. The answer to every change, the same again for the same request; and,
    in MessagePack, the data of the refusal `behind`: there is an earlier change that the database has not got.
    """

    act: Act
    deed: int
    amount: int
    before: bytes | None
    record: bytes
    indicia: tuple[Made, ...]
    time: int
    # By which it was permitted: permission, fund record or order, as it was made.
    voucher: bytes
    # The code of the meter box over the TransactionRecord of all this: no transaction box signs another one.
    change: bytes


class Begin(Command[Changed], frozen=True):
    """A new meter, by the steel box's MeterOrder. FUNCTION. Refused `tampering` when it stands already."""

    order: bytes
    act: Act


class Frank(Command[Changed], frozen=True):
    """`pieces`: CBOR of the pieces, each with its origin; its H stands in the permission. FUNCTION.

    Every change is refused `tampering` (a record that is not the newest, or not ours), `epoch-rollback` (nor of the
    newest one's epoch, but of one before), `behind`, `moved` (this box does not own the meter), `incomplete`, `alone`;
    this one also `stopped`, `insufficient-funds`, `over-limit`, `malformed` (the pieces), `stale` and
    `not-authenticated` (the permission).
    """

    record: bytes
    permission: bytes
    pieces: bytes
    act: Act


class Load(Command[Changed], frozen=True):
    """Money that came, or a settlement, by a transaction box's FundRecord. FUNCTION."""

    record: bytes
    fund: bytes
    act: Act


class Refund(Command[Changed], frozen=True):
    """Money out of the descending register, by permission. FUNCTION."""

    record: bytes
    permission: bytes
    act: Act


class Credit(Command[Changed], frozen=True):
    """An indicium of this meter that was not used, given back; once (`no-refund`). FUNCTION.

    The permission has its amount, and H of [indicium, token] for the pieces.
    """

    record: bytes
    permission: bytes
    unused: Made
    act: Act


class Obey(Command[Changed], frozen=True):
    """An operator's KeyOrder. FUNCTION."""

    record: bytes
    order: bytes
    act: Act


class Looked(Reply, frozen=True):
    """Each is True when its token is this meter's."""

    genuine: tuple[bool, ...]


class Look(Command[Looked], frozen=True):
    """Whether a record is the newest one, and tokens of its meter (M26). FUNCTION, OPERATOR. Refused as changes."""

    record: bytes
    tokens: tuple[Made, ...]


class DueSaid(Reply, frozen=True):
    """`due`: a Due as it was made."""

    due: bytes


class SayDue(Command[DueSaid], frozen=True):
    """What is due by a record, which has to be the newest: before money is taken. FUNCTION. Refused as changes.

    `pieces`: as in Frank, where what is missing for them shall be taken; refused as Frank, but for the money. Null: it
    is for no frank.
    """

    record: bytes
    pieces: bytes | None = None


class TokensVerified(Reply, frozen=True):
    """Each is True when its token is this meter's; and when this box knows that it was given back."""

    genuine: tuple[bool, ...]
    given_back: tuple[bool, ...]


class VerifyTokens(Command[TokensVerified], frozen=True):
    """Tokens of a meter, by a record of it, however old: the token key in it never changes (M15, M26). OPERATOR.

    Every meter box answers, also one that owns no meter and stands elsewhere; owner and second know what was given
    back. Refused `tampering` (a record that is not ours).
    """

    record: bytes
    tokens: tuple[Made, ...]


class Certified(Reply, frozen=True):
    """A VerificationCertificate, as the box signed it."""

    certificate: bytes


class Certify(Command[Certified], frozen=True):
    """The public key of a meter, by a record of it, however old (M15, M16). OPERATOR. Any meter box answers.

    Refused `no-public-key`: its value kind has codes for tokens.
    """

    record: bytes


class LastChange(Command[Changed], frozen=True):
    """What a meter box did last of all with a meter. FUNCTION, OPERATOR. Refused `no-meter`.

    Before anything is refused for good, as it may be done; for `meter recover`; for what no database knows.
    """

    serial: str


class TakeView(Command[Done], frozen=True):
    """The newest view; each box is given all of them in their order. OPERATOR, METER. Refused `older-view`."""

    view: bytes


class ViewHeld(Reply, frozen=True):
    """Slots of which this box is second, and holds all standings. `was_put_back`: a second of its own knew more."""

    view: bytes | None
    complete: tuple[int, ...]
    was_put_back: bool = False


class HeldView(Command[ViewHeld], frozen=True):
    """OPERATOR."""


class Keep(Command[Done], frozen=True):
    """From an owner to its second: rows of its store, sealed by nothing but the bus. METER.

    Refused `older-view`: this box knows that the asker owns the slot no more; `newer-view`: it has not heard of that
    view; `newer-standing`: the asker was put back. No rows: only whether it is second in this view still.
    A standing without octets: the asker has none.
    """

    view: int
    rows: tuple[tuple[str, bytes, bytes], ...]


class MarksHeld(Reply, frozen=True):
    """Keys of rows, and of each `[view, counter, H(row)]` in MessagePack. None is the end."""

    marks: tuple[tuple[bytes, bytes], ...]


class HeldMarks(Command[MarksHeld], frozen=True):
    """What this box holds of a slot, owner or not, above a key of a table: to compare two boxes. OPERATOR."""

    slot: int
    table: str
    after: bytes


class Handed(Reply, frozen=True):
    """Rows of one slot in the order of their keys; none is the end."""

    rows: tuple[tuple[str, bytes, bytes], ...]


class HandOver(Command[Handed], frozen=True):
    """A new second fetches what its owner holds of a slot, above a key of a table. METER."""

    view: int
    slot: int
    table: str
    after: bytes

"""Asked of authentication boxes: whether it is the mailer who asks (M18, M19)."""

from typing import Annotated, NamedTuple

from msgspec import Meta

from fob_office.centre.bus.commands import Command, Done, Reply
from fob_protocol.metering.values import Account
from fob_protocol.office.message import Count, Octets32

# Accounts of one answer.
_USERS_LIMIT = 1024


class UserRecorded(Reply, frozen=True):
    """`record` is a UserRecord as it was made."""

    record: bytes


class RecordUser(Command[UserRecorded], frozen=True):
    """A new mailer: the steel box's UserOrder, and the sign-up as it was signed. FUNCTION.

    Asked of the box that the password is sealed to. Refused `wrong-origin` (no place), `stale`, `tampering`,
    `malformed` (a password over or under its size, too), `not-authenticated`, `unavailable` (too many at once).
    """

    order: bytes
    signed: bytes


class Seen(Reply, frozen=True):
    """Counter of the newest record that was shown to any box; null: none."""

    counter: int | None


class UserSeen(NamedTuple):
    """Counter of the newest record of an account that was shown to a box, and H of it as it was signed."""

    account: Account
    counter: Count
    signed: Octets32


class ShowUser(Command[Done], frozen=True):
    """A user record that was stored just now: when this is answered, all authentication boxes know it. FUNCTION.

    Refused `tampering`, `incomplete`, `unavailable` (a box that runs does not answer).
    """

    record: bytes


class NoteUser(Command[Done], frozen=True):
    """What another box was shown; it is on the disk when this is answered. AUTHENTICATION.

    Refused `newer-standing`: this one knows a newer record, or another with this counter.
    """

    seen: UserSeen


class UsersSeen(Reply, frozen=True):
    """In order of accounts; none: there are no more."""

    users: Annotated[tuple[UserSeen, ...], Meta(max_length=_USERS_LIMIT)]


class FetchUsers(Command[UsersSeen], frozen=True):
    """A page of what this box knows, above an account. AUTHENTICATION."""

    after: bytes


class SeenMailer(Command[Seen], frozen=True):
    """OPERATOR."""

    account: bytes


class RecoverMailer(Command[UserRecorded], frozen=True):
    """A user record that was put back, and the steel box's MailerOrder for it: the record that follows. FUNCTION.

    Refused `tampering`, `stale` (this box has seen that counter).
    """

    record: bytes
    order: bytes


class SignOn(Command[UserRecorded], frozen=True):
    """A new key for a mailer who knows name and password: the sign-on as it was signed. FUNCTION.

    No record: nobody has the name; it is asked all the same, with an order for no account, and refused as a wrong
    password is. Asked of the box that the password is sealed to. Refused `not-authenticated`, `locked`, `stopped`,
    `stale`, `id-used` (the record came to be by this sign-on), `tampering`, `malformed`, `unavailable` (too many).
    """

    record: bytes | None
    order: bytes
    signed: bytes


class Permitted(Reply, frozen=True):
    """`permission` as it was made; null for what changes nothing."""

    permission: bytes | None


class Permit(Command[Permitted], frozen=True):
    """A request with its code (Mac0), and the record of who is said to have made it. FUNCTION.

    Refused `not-authenticated`, `wrong-origin`, `over-limit`, `stale`, `stopped`, `tampering`, `malformed`.
    """

    record: bytes
    authenticated: bytes


class PermitRefill(Command[Permitted], frozen=True):
    """By the rule in the mailer's record (M29), for the meter record with this counter alone. FUNCTION.

    Refused `no-refill` (the mailer has no such rule), `stopped`, `tampering`.
    """

    record: bytes
    serial: str
    counter: int

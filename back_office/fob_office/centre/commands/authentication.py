"""Asked of authentication boxes: whether it is the mailer who asks (M18, M19)."""

from fob_office.centre.bus.commands import Command, Reply


class UserRecorded(Reply, frozen=True):
    """`record` is a UserRecord as it was made."""

    record: bytes


class RecordUser(Command[UserRecorded], frozen=True):
    """A new mailer: the steel box's UserOrder, and the sign-up as it was signed. FUNCTION."""

    order: bytes
    signed: bytes


class SignOn(Command[UserRecorded], frozen=True):
    """A new key for a mailer who knows name and password: the sign-on as it was signed. FUNCTION.

    Refused `not-authenticated`, `locked`, `tampering`.
    """

    record: bytes
    order: bytes
    signed: bytes


class Permitted(Reply, frozen=True):
    """`permission` as it was made; null for what changes nothing."""

    permission: bytes | None


class Permit(Command[Permitted], frozen=True):
    """A request with its code (Mac0), and the record of who is said to have made it. FUNCTION.

    Refused `not-authenticated`, `wrong-origin`, `stale`, `stopped`, `tampering`.
    """

    record: bytes
    authenticated: bytes


class PermitRefill(Command[Permitted], frozen=True):
    """By the rule in the mailer's record (M29); `request` is H of what stands for the refill. FUNCTION."""

    record: bytes
    serial: str
    request: bytes

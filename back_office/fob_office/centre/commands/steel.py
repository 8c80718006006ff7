"""Asked of the steel box: it makes what new meters and mailers need, and an operator's orders (M4, M8)."""

from fob_office.centre.bus.commands import Command, Done, Reply


class Ordered(Reply, frozen=True):
    """`order` as it was made."""

    order: bytes


class OrderMeter(Command[Ordered], frozen=True):
    """A MeterOrder. `request_digest` is H of the sign-up, `fee` what stands in it; the order says the rest. FUNCTION.

    Refused `no-keys`: no such value kind here.
    """

    account: bytes
    value_kind: str
    request_digest: bytes
    fee: int = 0


class UserOrdered(Reply, frozen=True):
    """`order` is a UserOrder; `key` the user authentication key, sealed to the device."""

    order: bytes
    key: bytes


class OrderUser(Command[UserOrdered], frozen=True):
    """A user authentication key for the holder of `sealing_key` (X25519); no account: that of the sign-up. FUNCTION.

    `request_digest` is H of the sign-up or sign-on.
    """

    account: bytes | None
    sealing_key: bytes
    request_digest: bytes


class OrderKey(Command[Ordered], frozen=True):
    """A KeyOrder: stop, resume, withdraw, change. `limits` are the octets of Limits, where they change. OPERATOR."""

    deed: int
    serial: str
    counter: int
    limits: bytes | None


class OrderLog(Command[Ordered], frozen=True):
    """After a backup was put back: a LogOrder. OPERATOR.

    `before` and `root_before` are what the transaction box `box` says, `size` and `root` what the log does.
    """

    box: str
    before: int
    root_before: bytes
    size: int
    root: bytes


class OrderMailer(Command[Ordered], frozen=True):
    """After a backup was put back: a MailerOrder. `record`: H of the user record as it stands there. OPERATOR."""

    account: bytes
    record: bytes
    counter: int


class GiveKey(Command[Done], frozen=True):
    """One of the two keys that token keys are made of, sealed to the box by its owner: `vendor` or `postal`. OPERATOR.

    A new version begins when both owners have given theirs. Refused `key-given`: another one was given already;
    `malformed`: not sealed to this box for this use; `unavailable`: the box keeps no more.
    """

    owner: str
    value_kind: str
    version: int
    sealed: bytes


class SetNewMeters(Command[Done], frozen=True):
    """How meters of a value kind begin from now on: freshness kind (M21), and the octets of Limits. OPERATOR.

    `is_public`: their tokens are signatures, which strangers verify (M16).
    """

    value_kind: str
    freshness: int
    limits: bytes
    is_public: bool = False


class NumbersHeld(Reply, frozen=True):
    """`serials`: how many the box gave out. `versions`: the newest of each value kind that both owners have begun."""

    serials: int
    versions: tuple[tuple[str, int], ...]


class HeldNumbers(Command[NumbersHeld], frozen=True):
    """What only goes up, by which a box that was put back is known. OPERATOR."""

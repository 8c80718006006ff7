"""What the device keeps of its mailer's meter, in its sealed items: every change is on the disk before it counts."""

from dataclasses import dataclass
from typing import Annotated, Final

from msgspec import Meta
from msgspec.structs import replace

from fob_device.sealed_items import SealedItems
from fob_device.store.office_rows import USER_ITEMS
from fob_protocol.history.entry import Entry
from fob_protocol.metering.mailer import Mailer
from fob_protocol.metering.values import Amount, Registers
from fob_protocol.office.message import Count, Message, Nonce, Octets32, Time, read

METER: Final = USER_ITEMS + "meter"
ORDER: Final = USER_ITEMS + "meter order"
TAKEN: Final = USER_ITEMS + "meter order taken"
JOINING: Final = USER_ITEMS + "meter joining"
ALLOWANCE: Final = USER_ITEMS + "meter allowance"

# Orders that are known to be over: of them a computer that comes late hears so.
TAKEN_KEPT: Final = 64
_ORDER_SIZE: Final = 16


class KeptMeter(Message, tag=1, frozen=True):
    """`key`: the user authentication key, under the PIN. `last`: the newest transaction that franked something.

    `signed_up`: H of what was signed up for, None after a sign-on.
    """

    mailer: Mailer
    key: bytes
    last: bytes | None = None
    signed_up: Octets32 | None = None

    def __repr__(self) -> str:
        return f"KeptMeter({self.mailer.serial})"


class KeptOrder(Message, tag=1, frozen=True):
    """What one order has become: `wanted` is H of what the PC asked for, `request` what the data centre is asked.

    `authenticated` is the request with its code, the same octets each time; `transaction` and `registers` are of the
    answer that was believed, None before. `words` say it to people.
    """

    order: Nonce
    wanted: Octets32
    request: bytes
    authenticated: bytes
    words: Annotated[str, Meta(max_length=1024)]
    transaction: bytes | None = None
    registers: Registers | None = None

    def __repr__(self) -> str:
        return f"KeptOrder({self.order.hex()})"


class Joining(Message, tag=1, frozen=True):
    """A sign-up or sign-on that may have been sent: `wanted` as in KeptOrder, `signed` as it is sent each time.

    `time`: when it was made, in seconds since 1970.
    """

    is_new: bool
    name: str
    wanted: Octets32
    signed: bytes
    time: Time

    def __repr__(self) -> str:
        return "Joining(...)"


class Allowance(Message, tag=1, frozen=True):
    """How much may be franked in a day without a question, as the person set it; `spent` on `day`, from 1970."""

    daily: Amount = 0
    spent: Amount = 0
    day: Count = 0

    def after(self, amount: int, day: int) -> "Allowance | None":
        """When so much more was franked on a day; None: the person is asked."""
        spent = amount + (self.spent if day == self.day else 0)
        return replace(self, spent=spent, day=day) if spent <= self.daily else None


@dataclass(frozen=True, slots=True)
class MeterStore:
    """Every method raises CkrError for a file that cannot be used, TokenFileError for an item that was altered."""

    items: SealedItems

    def meter(self) -> KeptMeter | None:
        """The mailer's, once the data centre has answered."""
        octets = self.items.get(METER)
        return None if octets is None else read(KeptMeter, octets)

    def key_of(self, meter: KeptMeter, master_key: bytes) -> bytes:
        """The user authentication key."""
        return self.items.unwrap(master_key, _key_name(meter.mailer), meter.key)

    def keep_meter(self, meter: KeptMeter) -> None:
        """What was believed last."""
        self.items.put({METER: meter.octets()})

    def keep_joined(self, mailer: Mailer, key: bytes, signed_up: bytes | None, master_key: bytes, entry: Entry) -> None:
        """A new key. A result that was not taken stays; what the key before had asked in vain is never asked again."""
        wrapped = self.items.wrap(master_key, _key_name(mailer), key)
        meter = KeptMeter(mailer, wrapped, signed_up=signed_up)
        order = self.order()
        over = {} if order is None or order.transaction is not None else self._over(order)
        self.items.put({METER: meter.octets(), JOINING: None, **over}, entry)

    def joining(self) -> Joining | None:
        """What was not answered yet."""
        octets = self.items.get(JOINING)
        return None if octets is None else read(Joining, octets)

    def keep_joining(self, joining: Joining | None) -> None:
        """Before it is sent; None: it was refused."""
        self.items.put({JOINING: None if joining is None else joining.octets()})

    def order(self) -> KeptOrder | None:
        """The one that was not taken yet."""
        octets = self.items.get(ORDER)
        return None if octets is None else read(KeptOrder, octets)

    def keep_order(self, order: KeptOrder, allowance: Allowance | None = None) -> None:
        """Before it is sent, with what it takes of the day's allowance."""
        spent = {} if allowance is None else {ALLOWANCE: allowance.octets()}
        self.items.put({ORDER: order.octets(), **spent})

    def keep_done(self, meter: KeptMeter, order: KeptOrder, entry: Entry) -> None:
        """The answer was believed: in one moment with all that follows from it."""
        self.items.put({METER: meter.octets(), ORDER: order.octets()}, entry)

    def forget_order(self, entry: Entry) -> None:
        """It was refused: nothing was done."""
        self.items.put({ORDER: None}, entry)

    def keep_taken(self, order: KeptOrder) -> None:
        """Whoever asks for it once more has had it."""
        self.items.put(self._over(order))

    def taken(self) -> tuple[bytes, ...]:
        """Orders whose results were taken, or of which none will be heard; the last TAKEN_KEPT, the newest last."""
        octets = self.items.get(TAKEN) or b""
        return tuple(octets[place : place + _ORDER_SIZE] for place in range(0, len(octets), _ORDER_SIZE))

    def _over(self, order: KeptOrder) -> dict[str, bytes | None]:
        newest = (*self.taken(), order.order)[-TAKEN_KEPT:]
        return {ORDER: None, TAKEN: b"".join(newest)}

    def allowance(self) -> Allowance:
        """At first nothing goes without a question."""
        octets = self.items.get(ALLOWANCE)
        return Allowance() if octets is None else read(Allowance, octets)

    def keep_allowance(self, allowance: Allowance, entry: Entry) -> None:
        """As the person set it."""
        self.items.put({ALLOWANCE: allowance.octets()}, entry)


def _key_name(mailer: Mailer) -> str:
    return f"{METER} {mailer.account.hex()}"

"""The steel box's orders: which key stands behind each kind, for who makes and who checks them (M4)."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeVar

from fob_office.centre.boxes import codes
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.boxes.vault import Vault
from fob_protocol.cose.labels import Label
from fob_protocol.metering.vouchers import KeyOrder, LogOrder, MailerOrder, MeterOrder, UserOrder

Order = MeterOrder | UserOrder | KeyOrder | LogOrder | MailerOrder
OrderT = TypeVar("OrderT", MeterOrder, UserOrder, KeyOrder, LogOrder, MailerOrder)


class _Way(NamedTuple):
    label: Label
    kind: str


_WAYS: Final[Mapping[type[Order], _Way]] = {
    MeterOrder: _Way(Label.METER_ORDER, "meter"),
    UserOrder: _Way(Label.USER_ORDER, "user"),
    KeyOrder: _Way(Label.KEY_ORDER, "key"),
    LogOrder: _Way(Label.LOG_ORDER, "log"),
    MailerOrder: _Way(Label.MAILER_ORDER, "mailer"),
}


def sign_order(vault: Vault, order: Order) -> bytes:
    """As it is given out. Raises BusRefusedError MALFORMED, NotHeldError."""
    way = _WAYS[type(order)]
    return codes.sign_checked(vault, order, way.label, Purpose.ORDER, way.kind)


def read_order(vault: Vault, kind: type[OrderT], signed: bytes) -> OrderT:
    """What a steel box ordered, however long ago. Raises BusRefusedError TAMPERING, NotHeldError."""
    order = codes.claimed(kind, signed)
    way = _WAYS[kind]
    codes.check(vault, signed, way.label, Purpose.ORDER, way.kind)
    return order

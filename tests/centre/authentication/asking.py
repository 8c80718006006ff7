"""What a mailer asks of an authentication box, and what comes of it for other boxes."""

from typing import Any

from msgspec.structs import replace

from fob_office.centre.boxes.separation import Purpose
from fob_protocol.cose import mac0
from fob_protocol.cose.labels import Label
from fob_protocol.metering.records import UserRecord
from fob_protocol.metering.requests import Authenticated, FrankRequest, LoadRequest, Piece, RefundRequest
from fob_protocol.metering.values import Indicated
from fob_protocol.metering.vouchers import Permission
from fob_protocol.office.message import read
from support.centre_key_boxes import KeyBoxes, MailerDevice

SERIAL = "FM01000000014"
PIECES = (
    Piece(95, "80331", b"a" * 16, None, "letter"),
    Piece(160, "SW1A 1AA", b"b" * 16, "10115", "letter.large"),
)


def frank(anna: MailerDevice, *pieces: Piece, **other: Any) -> FrankRequest:
    request = FrankRequest(anna.random(16), anna.account, SERIAL, anna.now, b"", None, pieces or PIECES)
    return replace(request, **other)


def load(anna: MailerDevice, **other: Any) -> LoadRequest:
    return replace(LoadRequest(anna.random(16), anna.account, SERIAL, anna.now, 2_000), **other)


def refund(anna: MailerDevice, amount: int | None = None, unused: Indicated | None = None) -> Authenticated:
    return RefundRequest(anna.random(16), anna.account, SERIAL, anna.now, amount, unused)


def opened(world: KeyBoxes, anna: MailerDevice, permission: bytes | None) -> Permission:
    """As a meter box checks it."""
    key = world.open["meter-1"].vault.derive(Purpose.PERMISSION, anna.account)
    return read(Permission, mac0.check(key, Label.PERMISSION, [], permission or b""))


def signed_record(world: KeyBoxes, record: UserRecord) -> bytes:
    """What only an authentication box can make."""
    key = world.open["authentication-1"].vault.derive(Purpose.USER_RECORD, record.account, record.epoch)
    return mac0.authenticate(key, Label.USER_RECORD, [], record.octets())

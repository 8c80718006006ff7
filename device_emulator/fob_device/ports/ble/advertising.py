"""What the device says to everybody."""

from typing import Final
from uuid import UUID

from fob_protocol.link.gatt import SERVICE_UUID

# Octets of an advertisement (Bluetooth Core 5.4, vol. 6, part B, 2.3.1.1).
ADVERTISEMENT_SIZE: Final = 31

# Types of what is in one (Assigned Numbers, 2.3), and the flags: generally discoverable, no classic Bluetooth.
FLAGS: Final = 0x01
ALL_UUIDS: Final = 0x07
SHORTENED_NAME: Final = 0x08
COMPLETE_NAME: Final = 0x09
DISCOVERABLE: Final = b"\x06"

# Length and type stand before each part.
HEADER: Final = 2


def advertising_data(name: str) -> bytes:
    """Flags, the service, and as much of the name as there is room for; at most ADVERTISEMENT_SIZE octets."""
    data = _part(FLAGS, DISCOVERABLE) + _part(ALL_UUIDS, UUID(SERVICE_UUID).bytes[::-1])
    room = ADVERTISEMENT_SIZE - len(data) - HEADER
    whole = name.encode()
    if len(whole) <= room:
        return data + _part(COMPLETE_NAME, whole)
    # A character that does not fit whole is left out.
    return data + _part(SHORTENED_NAME, whole[:room].decode(errors="ignore").encode())


def _part(kind: int, content: bytes) -> bytes:
    return bytes((len(content) + 1, kind)) + content

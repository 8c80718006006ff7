"""The authorisation code of a reconfiguration (C20, MP4): only office and device can make it."""

from collections.abc import Iterable

from fob_protocol.cose.cbor import Value
from fob_protocol.office.component import Component
from fob_protocol.office.hashing import authenticate


def authorisation_code(key: bytes, serial: str, set_number: int, components: Iterable[Component]) -> bytes:
    """32 octets over what the set holds; `key` is the device's authorisation key."""
    held: list[Value] = [
        [component.id, component.version, component.digest]
        for component in sorted(components, key=lambda component: component.id)
    ]
    return authenticate(key, ["fob/1 authorisation code", serial, set_number, held])

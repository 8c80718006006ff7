"""The GATT service: two characteristics and a descriptor, closed to everybody whose key is not good enough."""

from collections.abc import Callable
from typing import Final

from bumble import att
from bumble.core import UUID
from bumble.device import Connection
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    CharacteristicValue,
    Descriptor,
    Service,
)

from fob_device.ports.ble.link import BleLink
from fob_protocol.link.gatt import SERVICE_UUID, TO_DEVICE_UUID, TO_PC_UUID

# Values of the configuration descriptor (Core 5.4, vol. 3, part G, 3.3.3.3).
NOTIFY: Final = b"\1\0"
NOTHING: Final = b"\0\0"
# The error for any other (Core Supplement 11, part B, 1.2).
WRONGLY_CONFIGURED: Final = 0xFD

_OPEN: Final = att.Attribute.READABLE | att.Attribute.WRITEABLE


class FobService:
    """`link_of` finds the device's side of a connection."""

    def __init__(self, link_of: Callable[[Connection], BleLink | None]) -> None:
        self._link_of = link_of
        # The stack checks no permission of these: each access comes here.
        self.to_device: Characteristic[bytes] = Characteristic(
            TO_DEVICE_UUID,
            Characteristic.Properties.WRITE | Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
            _OPEN,
            CharacteristicValue(read=self._refuse_reading, write=self._receive),
        )
        self._configuration: Descriptor = Descriptor(
            GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
            _OPEN,
            att.AttributeValue(read=self._read_configuration, write=self._configure),
        )
        self.to_pc: Characteristic[bytes] = Characteristic(
            TO_PC_UUID,
            Characteristic.Properties.NOTIFY,
            _OPEN,
            CharacteristicValue(read=self._refuse_reading, write=self._refuse_writing),
            [self._configuration],
        )

    @property
    def attributes(self) -> tuple[att.Attribute[bytes], ...]:
        """Those that ask `link_of` on each access."""
        return (self.to_device, self.to_pc, self._configuration)

    def build(self) -> Service:
        """What the stack is given."""
        return Service(UUID(SERVICE_UUID), [self.to_device, self.to_pc])

    def _proven(self, connection: Connection) -> BleLink:
        """The link of a computer that may use the attributes. Raises ATT_Error."""
        link = self._link_of(connection)
        if link is None or not link.is_proven:
            raise att.ATT_Error(att.ATT_INSUFFICIENT_AUTHENTICATION_ERROR)
        return link

    def _receive(self, connection: Connection, value: bytes) -> None:
        self._proven(connection).receive(value)

    def _read_configuration(self, connection: Connection) -> bytes:
        return NOTIFY if self._proven(connection).is_subscribed else NOTHING

    def _configure(self, connection: Connection, value: bytes) -> None:
        link = self._proven(connection)
        match value:
            case b"\1\0":
                link.subscribe()
            case b"\0\0":
                link.unsubscribe()
            case _:
                raise att.ATT_Error(att.ErrorCode(WRONGLY_CONFIGURED))

    def _refuse_reading(self, connection: Connection) -> bytes:
        self._proven(connection)
        raise att.ATT_Error(att.ATT_READ_NOT_PERMITTED_ERROR)

    def _refuse_writing(self, connection: Connection, value: bytes) -> None:
        self._proven(connection)
        raise att.ATT_Error(att.ATT_WRITE_NOT_PERMITTED_ERROR)

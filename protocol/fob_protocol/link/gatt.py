"""The GATT service that carries a line over Bluetooth Low Energy (docs, section 8)."""

from typing import Final

SERVICE_UUID: Final = "f0b50001-2c8e-4b6a-9d17-3e5a6c70b1e4"
# The PC writes octets of the line here.
TO_DEVICE_UUID: Final = "f0b50002-2c8e-4b6a-9d17-3e5a6c70b1e4"
# The device notifies octets of the line here.
TO_PC_UUID: Final = "f0b50003-2c8e-4b6a-9d17-3e5a6c70b1e4"

# ATT's opcode and handle stand before a value in a packet (Bluetooth Core 5.4, vol. 3, part F, 3.4.5.3 and 3.4.7.1).
ATT_HEADER: Final = 3
# An attribute's value is never longer, whatever the MTU (same, 3.2.9).
VALUE_LIMIT: Final = 512
# Values that are sent are no longer: with L2CAP's and ATT's headers two packets of 251 octets (vol. 6, part B, 4.5.10).
SENT_VALUE_LIMIT: Final = 495
MTU_LEAST: Final = 23
# What the device offers: a value of VALUE_LIMIT and its header, and two octets that some stacks take off.
MTU_OFFERED: Final = 517

# Seconds from connection event to connection event, as the standard allows them (same, vol. 6, part B, 4.5.1).
SHORTEST_INTERVAL: Final = 0.0075
LONGEST_INTERVAL: Final = 4.0
INTERVAL_UNIT: Final = 0.00125

# PCs that a device is connected with by radio at once.
CONNECTIONS_LIMIT: Final = 4
# Seconds that a PC without a good key may hold one of them: who has a bond encrypts at once.
PROVING_TIME: Final = 12.0

# Seconds between tries of a PC whose bond is lost: each costs the device a connection, and only pairing again heals it.
BOND_LOST_PAUSE: Final = 60.0


def value_size(mtu: int) -> int:
    """Octets of the line that one packet carries at an ATT MTU."""
    return min(max(mtu, MTU_LEAST) - ATT_HEADER, SENT_VALUE_LIMIT)

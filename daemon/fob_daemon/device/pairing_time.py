"""How long a pairing may take on the slowest line, by the deadlines that end it earlier. All in seconds."""

from typing import Final

from fob_daemon.link.ble.deadlines import (
    BOND_TIME,
    CONNECT_TIME,
    DISCOVER_TIME,
    ENCRYPT_TIME,
    FIND_TIME,
    GATT_TIME,
    GHOST_TIME,
    STACK_TIME,
)
from fob_daemon.link.opening import OPEN_TRIES
from fob_protocol.limits import PAIRING_TIME
from fob_protocol.link.gatt import LONGEST_INTERVAL
from fob_protocol.session.air import air_pace
from fob_protocol.session.pace import Pace

SLOWEST: Final[Pace] = air_pace(LONGEST_INTERVAL)

# Looking for the device before and in the last try, the tries before that one, the stack's own work.
_FINDING: Final = 2 * FIND_TIME + GHOST_TIME + CONNECT_TIME + 2 * STACK_TIME
# The earlier connection is ended; the new one bonded, encrypted, discovered, subscribed to.
_ON_AIR: Final = SLOWEST.stretched(STACK_TIME + BOND_TIME + ENCRYPT_TIME + DISCOVER_TIME + GATT_TIME)
# Its versions, and CONNECT.
_OPENING: Final = 2 * OPEN_TRIES * SLOWEST.command_time

# Until the first session and the first list of objects: 100 s and 50 s by radio at the longest interval.
SETTLE_LIMIT: Final = 180.0

# A pairing that takes longer than this has lost its way.
PAIRING_LIMIT: Final = _FINDING + _ON_AIR + _OPENING + PAIRING_TIME + SETTLE_LIMIT

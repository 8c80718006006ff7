"""How long a Bluetooth stack may take for each thing that is asked of it: every one of them has hung for somebody.

What crosses the air takes its connection intervals: where they are long, these times are stretched (`Pace.stretched`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fob_daemon.link.transport import LineUnavailableError
from fob_protocol.link.gatt import PROVING_TIME

# Seconds. A device advertises some times a second; one that is not heard in this time is not near.
FIND_TIME: Final = 5.0
# Connecting (docs/protocol.md, section 8); BlueZ discovers the service in that time too.
CONNECT_TIME: Final = 10.0
# Agreeing on the MTU and discovering the service, on a controller of our own: seven round trips, more at a small MTU.
DISCOVER_TIME: Final = 20.0
# One GATT call (same).
GATT_TIME: Final = 5.0
# Encrypting with the key of the bond: three packets each way.
ENCRYPT_TIME: Final = 5.0
# Making a bond: two dozen packets and two elliptic curve operations on each side.
BOND_TIME: Final = 15.0
# Anything asked of the stack on this side alone.
STACK_TIME: Final = 5.0
# A connection that was cancelled while it came about may live on in the controller, where nobody can end it, and stand
# in the way of the next one until the phone gives it up for want of a key. A person who pairs waits for that.
GHOST_TIME: Final = CONNECT_TIME + PROVING_TIME


@asynccontextmanager
async def deadline(seconds: float, what: str) -> AsyncIterator[None]:
    """Raises LineUnavailableError, which names `what`, when the `async with` block takes longer than `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise LineUnavailableError(f"{what} took longer than {seconds:g} s") from None

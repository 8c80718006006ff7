"""What a device may ask by L2CAP: other times for its connection (Core 5.4, vol. 3, part A, 4.20 and 4.21).

The stack itself accepts whatever is asked, also a timeout after which no program hears of a break in time.
"""

import asyncio
from contextlib import suppress
from typing import Final

from bumble.core import BaseBumbleError
from bumble.device import Connection, Device
from bumble.hci import HCI_LE_Connection_Update_Command, Role
from bumble.l2cap import (
    L2CAP_CONNECTION_PARAMETERS_ACCEPTED_RESULT,
    L2CAP_CONNECTION_PARAMETERS_REJECTED_RESULT,
    L2CAP_Connection_Parameter_Update_Request,
    L2CAP_Connection_Parameter_Update_Response,
)

from fob_protocol.link.gatt import LONGEST_INTERVAL
from fob_protocol.link.times import Times

# Seconds without a packet after which a connection that a device has asked times for is over at the latest, or what it
# began with if that is longer: what makers of devices are told to ask for at most.
SUPERVISION_LIMIT: Final = 6.0

_UNIT: Final = 0.001


class Signaling:
    """Answers the devices that a host is connected with."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._manager = device.l2cap_channel_manager
        # One task at most for each connection.
        self._updates: dict[int, asyncio.Task[None]] = {}

    def listen(self) -> None:
        """From now on."""
        self._manager.on_l2cap_connection_parameter_update_request = self._asked  # type: ignore[method-assign]  # as above

    def _asked(self, connection: Connection, cid: int, request: L2CAP_Connection_Parameter_Update_Request) -> None:
        is_granted = self._is_granted(connection, request)
        result = (
            L2CAP_CONNECTION_PARAMETERS_ACCEPTED_RESULT if is_granted else L2CAP_CONNECTION_PARAMETERS_REJECTED_RESULT
        )
        answer = L2CAP_Connection_Parameter_Update_Response(identifier=request.identifier, result=result)
        self._manager.send_control_frame(connection, cid, answer)
        if is_granted:
            update = asyncio.get_running_loop().create_task(self._update(connection.handle, request))
            self._updates[connection.handle] = update
            update.add_done_callback(lambda _: self._updates.pop(connection.handle))

    def _is_granted(self, connection: Connection, request: L2CAP_Connection_Parameter_Update_Request) -> bool:
        """Whether the standard allows it, the device is sure to listen in 4 s and a break is noticed in time."""
        if connection.role != Role.CENTRAL or connection.handle in self._updates:
            return False
        shortest, longest = (
            Times(interval, request.latency, request.timeout)
            for interval in (request.interval_min, request.interval_max)
        )
        supervision_limit = max(SUPERVISION_LIMIT, connection.parameters.supervision_timeout * _UNIT)
        return (
            shortest.interval <= longest.interval
            and shortest.are_valid
            and longest.are_valid
            and (1 + longest.latency) * longest.seconds <= LONGEST_INTERVAL
            and longest.supervision <= supervision_limit
        )

    async def _update(self, handle: int, request: L2CAP_Connection_Parameter_Update_Request) -> None:
        # A controller that refuses, or is gone, leaves the connection as it is.
        with suppress(BaseBumbleError, TimeoutError):
            await self._device.send_async_command(
                HCI_LE_Connection_Update_Command(
                    connection_handle=handle,
                    connection_interval_min=request.interval_min,
                    connection_interval_max=request.interval_max,
                    max_latency=request.latency,
                    supervision_timeout=request.timeout,
                    min_ce_length=0,
                    max_ce_length=0,
                )
            )

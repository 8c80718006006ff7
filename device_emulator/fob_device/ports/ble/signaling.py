"""What the phone asks a computer by L2CAP: other times for their connection (Core 5.4, vol. 3, part A, 4.20 and 4.21).

The stack's own way has one answer for all connections, and waits for it for ever.
"""

import asyncio
from typing import Final

from bumble.device import Connection
from bumble.l2cap import (
    L2CAP_CONNECTION_PARAMETERS_ACCEPTED_RESULT,
    L2CAP_LE_SIGNALING_CID,
    ChannelManager,
    L2CAP_Command_Reject,
    L2CAP_Connection_Parameter_Update_Request,
    L2CAP_Connection_Parameter_Update_Response,
)

from fob_protocol.link.times import Times

# Seconds for the computer's answer: TGAP(conn_param_timeout) (same, part C, appendix A).
ANSWER_TIME: Final = 30.0


class Signaling:
    """Asks on every connection of a host, whose `manager` it listens to."""

    def __init__(self, manager: ChannelManager) -> None:
        self._manager = manager
        # By the connection's handle and the question's identifier.
        self._asked: dict[tuple[int, int], asyncio.Future[bool]] = {}
        manager.on_l2cap_connection_parameter_update_response = self._answered  # type: ignore[method-assign]  # see above
        manager.on_l2cap_command_reject = self._rejected  # type: ignore[method-assign]  # the stack takes no notice

    async def ask(self, connection: Connection, times: Times) -> bool:
        """Whether the computer accepts. Raises TimeoutError."""
        identifier = self._manager.next_identifier(connection)
        question = (connection.handle, identifier)
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[question] = answer
        try:
            self._manager.send_control_frame(
                connection,
                L2CAP_LE_SIGNALING_CID,
                L2CAP_Connection_Parameter_Update_Request(
                    identifier=identifier,
                    interval_min=times.interval,
                    interval_max=times.interval,
                    latency=times.latency,
                    timeout=times.timeout,
                ),
            )
            async with asyncio.timeout(ANSWER_TIME):
                return await answer
        finally:
            del self._asked[question]

    def _answered(self, connection: Connection, cid: int, response: L2CAP_Connection_Parameter_Update_Response) -> None:
        is_accepted = int(response.result) == L2CAP_CONNECTION_PARAMETERS_ACCEPTED_RESULT
        self._settle(connection, response.identifier, is_accepted)

    def _rejected(self, _connection: Connection, _cid: int, packet: L2CAP_Command_Reject) -> None:
        """The computer does not know the question."""
        self._settle(_connection, packet.identifier, False)

    def _settle(self, connection: Connection, identifier: int, is_accepted: bool) -> None:
        answer = self._asked.get((connection.handle, identifier))
        if answer is not None and not answer.done():
            answer.set_result(is_accepted)

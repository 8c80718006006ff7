"""A batch that is being franked: a stream of how far it is, and one event at its end."""

from typing import TYPE_CHECKING, Final

import structlog

from fob_daemon.control.errors import ControlError, daemon_fault
from fob_daemon.control.events import EventQueue
from fob_daemon.control.json_form import to_json
from fob_daemon.control.meter import MeterHandlers
from fob_daemon.control.meter_requests import FrankJob
from fob_daemon.control.sse import ServerEvent
from fob_daemon.peer import PeerIdentity

if TYPE_CHECKING:
    from fob_daemon.metering.reports import Franked, Looked

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# The events that end the stream.
LAST_EVENTS: Final = frozenset({"finished", "error"})


class Frankings:
    """Cancelling one withdraws the request that is under way; the batch is kept, and goes on when it is asked to."""

    def __init__(self, meters: MeterHandlers) -> None:
        self._meters = meters

    async def run(self, request: FrankJob, peer: PeerIdentity, events: EventQueue[ServerEvent]) -> None:
        """Frank; `events` gets what is done, and one of LAST_EVENTS at the end."""

        def tell(done: "Franked | Looked") -> None:
            events.put(ServerEvent(type(done).__name__.lower(), to_json(done)))

        try:
            finished = await self._meters.frank(request, peer, tell)
            events.put(ServerEvent("finished", finished))
        except ControlError as error:
            events.put(ServerEvent("error", {**error.to_json(), "status": error.status}))
        except Exception as fault:  # the person must get an answer
            _log.error("control.franking_failed", fault=type(fault).__name__)
            events.put(ServerEvent("error", dict(daemon_fault("not franked", fault).to_json())))

"""A configuration under way: a stream of how far it is, and one event at its end."""

from typing import Final

import structlog

from fob_daemon.control.errors import ControlError, daemon_fault
from fob_daemon.control.events import EventQueue
from fob_daemon.control.interface import ControlEvent, DaemonView
from fob_daemon.control.json_form import to_json
from fob_daemon.control.office import OfficeHandlers
from fob_daemon.control.office_reports import Progress, Relayed
from fob_daemon.control.office_requests import Configure
from fob_daemon.control.sse import ServerEvent

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# The events that end the stream.
LAST_EVENTS: Final = frozenset({"configured", "error"})


class Configurations:
    """Asks for them. Cancelling one withdraws the request; what was fetched by then is kept by the device."""

    def __init__(self, daemon: DaemonView, office: OfficeHandlers) -> None:
        self._daemon = daemon
        self._office = office

    async def run(self, request: Configure, events: EventQueue[ServerEvent]) -> None:
        """Configure; `events` gets what happens, and one of LAST_EVENTS at the end."""
        heard = _OfDevice(request.device, events)
        self._daemon.subscribe(heard)
        try:
            events.put(ServerEvent("configured", await self._office.configure(request)))
        except ControlError as error:
            events.put(ServerEvent("error", dict(error.to_json())))
        except Exception as fault:  # the person must get an answer
            _log.error("control.configuration_failed", fault=type(fault).__name__)
            events.put(ServerEvent("error", dict(daemon_fault("not configured", fault).to_json())))
        finally:
            self._daemon.unsubscribe(heard)


class _OfDevice(EventQueue[ControlEvent]):
    """Hands one device's progress on at once, so that nothing of it comes behind the end."""

    def __init__(self, device: str, events: EventQueue[ServerEvent]) -> None:
        super().__init__()
        self._device = device
        self._out = events

    def put(self, event: ControlEvent) -> None:
        """Called for every event."""
        match event:
            case Progress(device=device) if device == self._device:
                self._out.put(ServerEvent("progress", to_json(event)))
            case Relayed(device=device) if device == self._device:
                self._out.put(ServerEvent("relay", to_json(event)))

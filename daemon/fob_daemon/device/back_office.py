"""A device's back office: what it can be asked about it, its questions on their way there, and what it tells."""

from collections.abc import Callable
from typing import Final

from fob_daemon.control.interface import ControlEvent
from fob_daemon.control.office_refusals import RESULTS
from fob_daemon.control.office_reports import (
    IntegrityChange,
    MeterChange,
    OptionsChange,
    Progress,
    Relayed,
    RelayReport,
)
from fob_daemon.device.office_answers import read_announced
from fob_daemon.device.remote_office import RemoteOffice
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.link.interface import Link
from fob_daemon.relay.limits import TELLING_PACE
from fob_daemon.relay.outcome import Office
from fob_daemon.relay.pacing import Newest
from fob_daemon.relay.relaying import Carried, DeviceRelay
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_INTEGRITY, EVENT_METER, EVENT_OPTIONS, EVENT_PROGRESS, EVENT_RELAY
from fob_protocol.integrity.limits import HOLDINGS_LIMIT
from fob_protocol.office.limits import ID_LIMIT
from fob_protocol.relay import RELAY_WORDS_LIMIT
from fob_protocol.session.handshake import Greeting

# States of a copy that runs.
_RUNS: Final = frozenset({"valid", "needs-none", "waiting"})


class BackOffice:
    """`name` gives the device's name of the moment; `tell` takes what people may want to follow."""

    def __init__(
        self,
        name: Callable[[], str],
        link: Link,
        timeouts: Timeouts,
        office: Office,
        tell: Callable[[ControlEvent], None],
    ) -> None:
        self.remote = RemoteOffice(link, timeouts)
        self._name = name
        self._tell = tell
        self._relay = DeviceRelay(self.remote, office, self._carried)
        self._doing: Progress | None = None
        self._progress: Newest[Progress] = Newest(tell, TELLING_PACE)
        self._options: Newest[OptionsChange] = Newest(tell, TELLING_PACE)
        self._meters: Newest[MeterChange] = Newest(tell, TELLING_PACE)
        # What was told last, since the daemon started.
        self.meter: MeterChange | None = None
        self._refused: dict[str, str] = {}
        link.subscribe(self._on_event)
        link.on_session(self._on_session)

    def report(self) -> RelayReport:
        """Its relay, as it is now."""
        counts, last = self._relay.counts, self._relay.last
        event = Relayed(self._name(), "", "", 0, 0, "", "", 0) if last is None else self._event(last)
        return RelayReport(
            device=event.device,
            busy=self._relay.current is not None,
            questions=counts.carried,
            failures=counts.failed,
            service=event.service,
            words=event.words,
            done=event.done,
            total=event.total,
            result=event.result,
            why=event.why,
            seconds=event.seconds,
            newer=self.remote.newer,
            doing=self._doing,
            refused=dict(self._refused),
        )

    async def idle(self) -> None:
        """Wait until no question is under way."""
        await self._relay.idle()

    async def close(self) -> None:
        """The device was unpaired or the daemon ends."""
        self._progress.close()
        self._options.close()
        self._meters.close()
        await self._relay.close()

    def _carried(self, carried: Carried) -> None:
        self._tell(self._event(carried))

    def _event(self, carried: Carried) -> Relayed:
        waiting, outcome = carried.waiting, carried.outcome
        return Relayed(
            device=self._name(),
            service=waiting.service,
            words=waiting.words,
            done=waiting.done,
            total=waiting.total,
            result=RESULTS[outcome.status],
            why=outcome.why,
            seconds=round(carried.seconds, 3),
        )

    def _on_event(self, event: Event) -> None:
        """An event that does not parse is no hint at all."""
        match event.name, event.values:
            case name, _ if name == EVENT_RELAY:
                self._relay.wake(read_announced(event.values))
            case name, (int(done), int(total), str(words)) if name == EVENT_PROGRESS:
                progress = Progress(self._name(), words[:RELAY_WORDS_LIMIT], done, total)
                self._doing = progress if words else None
                self._progress.put(progress)
            case name, (int(number),) if name == EVENT_OPTIONS:
                # Nobody has listed these yet.
                self.remote.newer = 0
                self._options.put(OptionsChange(self._name(), number))
            case name, (str(program), str(state)) if name == EVENT_INTEGRITY:
                self._note_copy(program[:ID_LIMIT], state[:ID_LIMIT])
            case name, (int(counter), int(descending), (str() | None) as fault, int(ascending), int(pieces)) if (
                name == EVENT_METER
            ):
                self.meter = MeterChange(self._name(), counter, descending, (fault or "")[:ID_LIMIT], ascending, pieces)
                self._meters.put(self.meter)

    def _on_session(self, greeting: Greeting | None) -> None:
        """A device that is here again says anew which of its copies do not run."""
        if greeting is not None:
            self._refused.clear()

    def _note_copy(self, program: str, state: str) -> None:
        if state in _RUNS:
            self._refused.pop(program, None)
        elif program in self._refused or len(self._refused) < HOLDINGS_LIMIT:
            self._refused[program] = state
        self._tell(IntegrityChange(self._name(), program, state))

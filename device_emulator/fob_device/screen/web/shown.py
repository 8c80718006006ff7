"""What the page is about: the workbench with a phone on it, which is on or off, and its person."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from fob_device.listeners import Listeners
from fob_device.overview.computers import computers
from fob_device.phone import Phone
from fob_device.screen.person import ScreenPerson
from fob_device.screen.web.views.status import Status, status_of
from fob_device.workbench.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Running:
    """A phone that is on; after a power cut it is another one, and locked."""

    phone: Phone
    person: ScreenPerson


class Shown:
    """Tells by `on_change` of everything that a page could show otherwise than before."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.on_change = Listeners()
        self.label = ""
        self._running: Running | None = None
        bench.on_change.add(self.on_change)

    @property
    def running(self) -> Running | None:
        """The phone, None while it has no power."""
        return self._running if self.bench.is_on else None

    def status(self) -> Status:
        """The status bar now; the phone's clock may be wrong, and is in this machine's time zone."""
        running = self.running
        battery = self.bench.report().battery
        moment = datetime.fromtimestamp(self.bench.clock()).astimezone()
        paired = computers(running.phone) if running else ()
        is_locked = running is not None and running.person.lock.is_locked
        return status_of(self.label, moment, paired, battery, is_locked=is_locked)

    @contextmanager
    def switched_on(self, phone: Phone, person: ScreenPerson) -> Iterator[None]:
        """The phone that is shown within the block."""
        stop_listening = [changed.add(self.on_change) for changed in (phone.on_change, person.on_change)]
        stop_listening.append(phone.history.watch(self.on_change))
        self.label = phone.token.info().label
        self._running = Running(phone, person)
        self.on_change()
        try:
            yield
        finally:
            self._running = None
            for stop in stop_listening:
                stop()
            self.on_change()

"""The Cryptoki engine: it makes the applications and knows them all."""

import os
from collections.abc import Callable, Iterable

from fob_daemon.cryptoki.application import FobApplication
from fob_daemon.cryptoki.login_state import Identify, Observer, unidentified
from fob_daemon.cryptoki.slots import Slots
from fob_daemon.device.slot import Slot


class Engine:
    """`slots` may come and go while the daemon runs; a slot id never means another device."""

    def __init__(self, slots: Iterable[Slot] = (), *, random: Callable[[int], bytes] = os.urandom) -> None:
        self._slots = Slots(slots)
        self._random = random
        self._applications: set[FobApplication] = set()

    @property
    def applications(self) -> list[FobApplication]:
        """Everyone at work, for the status."""
        return list(self._applications)

    def add_slot(self, slot: Slot) -> None:
        """A device was paired."""
        self._slots.add(slot)

    def remove_slot(self, slot_id: int) -> None:
        """A device was unpaired; its sessions end."""
        if slot_id in self._slots:
            for application in self.applications:
                application.close_all_sessions(slot_id)
            self._slots.remove(slot_id)

    def open_application(
        self, description: str, observe: Observer = lambda used: None, identify: Identify = unidentified
    ) -> FobApplication:
        """C_Initialize: `description` says who asks (program and process); `observe` hears of each key it uses.

        `identify` says for whom a key is to be used, when it is.
        """
        application = FobApplication(
            self._slots,
            description,
            random=self._random,
            on_close=self._applications.discard,
            observe=observe,
            identify=identify,
        )
        self._applications.add(application)
        return application

    def close_all(self) -> None:
        """The daemon ends."""
        for application in self.applications:
            application.close()

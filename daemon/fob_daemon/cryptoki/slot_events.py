"""C_WaitForSlotEvent: which device came or went since the application last heard of it."""

import asyncio
from collections.abc import Mapping

from fob_daemon.device.slot import Slot
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class SlotEvents:
    """One application's view of the devices' coming and going."""

    def __init__(self, slots: Mapping[int, Slot]) -> None:
        self._slots = slots
        self._seen = {slot_id: slot.presence for slot_id, slot in slots.items()}
        self._wake = asyncio.Event()
        self._is_closed = False
        self._unwatch = [slot.watch_presence(self._wake.set) for slot in slots.values()]

    async def wait(self, *, block: bool) -> int:
        """A slot with an event. Raises CkrError NO_EVENT, or CRYPTOKI_NOT_INITIALIZED when the application ends."""
        while True:
            if self._is_closed:
                raise CkrError(Ckr.CRYPTOKI_NOT_INITIALIZED, "the application ended")
            self._wake.clear()
            slot_id = self._next()
            if slot_id is not None:
                return slot_id
            if not block:
                raise CkrError(Ckr.NO_EVENT)
            await self._wake.wait()

    def close(self) -> None:
        """End a waiting call."""
        self._is_closed = True
        self._wake.set()
        for unwatch in self._unwatch:
            unwatch()

    def _next(self) -> int | None:
        for slot_id, slot in self._slots.items():
            if self._seen.get(slot_id) != slot.presence:
                self._seen[slot_id] = slot.presence
                return slot_id
        return None

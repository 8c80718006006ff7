"""C_WaitForSlotEvent: which slot, device or token came or went since the application last heard of it."""

import asyncio

from fob_daemon.cryptoki.slots import Slots
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class SlotEvents:
    """One application's view of the coming and going; a slot that was paired after its start is an event as well."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._seen = dict(slots.changes)
        self._wake = asyncio.Event()
        self._is_closed = False
        self._unwatch = slots.watch(self._wake.set)

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
        self._unwatch()

    def _next(self) -> int | None:
        for slot_id, count in self._slots.changes.items():
            if self._seen.get(slot_id) != count:
                self._seen[slot_id] = count
                return slot_id
        return None

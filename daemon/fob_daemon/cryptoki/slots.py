"""The slots of the engine, which come and go while applications run."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from fob_daemon.device.slot import Slot


class Slots(Mapping[int, Slot]):
    """Slots by their ids.

    `changes` counts by slot id how often a slot, its device or its token came or went, for C_WaitForSlotEvent; a slot
    that is gone keeps its count, so that its going is an event too.
    """

    def __init__(self, slots: Iterable[Slot] = ()) -> None:
        self.changes: dict[int, int] = {}
        self._slots: dict[int, Slot] = {}
        self._unwatch: dict[int, Callable[[], None]] = {}
        self._listeners: set[Callable[[], None]] = set()
        for slot in slots:
            self.add(slot)

    def __getitem__(self, slot_id: int) -> Slot:
        return self._slots[slot_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, slot: Slot) -> None:
        """A device was paired."""
        self._slots[slot.id] = slot
        self._unwatch[slot.id] = slot.watch_presence(lambda: self._note(slot.id))
        self._note(slot.id)

    def remove(self, slot_id: int) -> None:
        """A device was unpaired."""
        del self._slots[slot_id]
        self._unwatch.pop(slot_id)()
        self._note(slot_id)

    def watch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` whenever something is counted; what comes back ends that."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _note(self, slot_id: int) -> None:
        self.changes[slot_id] = self.changes.get(slot_id, 0) + 1
        for listener in tuple(self._listeners):
            listener()

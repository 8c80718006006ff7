"""Where objects are kept: the file for token objects, memory for those of a session. One door to both."""

from typing import Protocol

from fob_device.token.making import Draft
from fob_device.token.views import ObjectView


class Keeper(Protocol):
    """Keeps objects by handle. `master_key` seals and opens secrets; who may have it is decided elsewhere."""

    def find(self, handle: int) -> ObjectView | None:
        """An object, None when there is none with this handle."""

    def secret(self, handle: int, master_key: bytes) -> bytes | None:
        """An object's secret, None when it has none. Raises CkrError DEVICE_ERROR when the store was altered."""

    def require_room(self, count: int) -> None:
        """Raises CkrError DEVICE_MEMORY unless `count` more objects fit."""

    def add(self, draft: Draft, master_key: bytes | None) -> ObjectView:
        """Keep a new object. Raises CkrError DEVICE_MEMORY."""

    def change(self, handle: int, draft: Draft, master_key: bytes | None) -> ObjectView:
        """Keep an object's new state."""

    def remove(self, handle: int) -> None:
        """Destroy an object."""

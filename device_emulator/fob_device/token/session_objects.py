"""Session objects (CKA_TOKEN false): in memory, for as long as their link session."""

from collections.abc import Iterator

from fob_device.token import limits
from fob_device.token.making import Draft
from fob_device.token.values import is_true
from fob_device.token.views import ObjectView
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class SessionObjects:
    """A keeper (keepers.py) in memory. `handles` counts up for all sessions of a token, so that no two share one."""

    def __init__(self, handles: Iterator[int]) -> None:
        self._handles = handles
        self._drafts: dict[int, Draft] = {}

    def find(self, handle: int) -> ObjectView | None:
        """An object of this session."""
        draft = self._drafts.get(handle)
        return None if draft is None else ObjectView(handle, 0, dict(draft.attributes))

    def secret(self, handle: int, master_key: bytes) -> bytes | None:
        """An object's secret; memory needs no seal."""
        return self._drafts[handle].secret

    def require_room(self, count: int) -> None:
        """Raises CkrError DEVICE_MEMORY over the session's limit."""
        if len(self._drafts) + count > limits.SESSION_OBJECT_LIMIT:
            raise CkrError(Ckr.DEVICE_MEMORY, f"a session has at most {limits.SESSION_OBJECT_LIMIT} objects")

    def add(self, draft: Draft, master_key: bytes | None) -> ObjectView:
        """Keep a new object."""
        self.require_room(1)
        handle = next(self._handles)
        self._drafts[handle] = draft
        return ObjectView(handle, 0, dict(draft.attributes))

    def change(self, handle: int, draft: Draft, master_key: bytes | None) -> ObjectView:
        """Keep an object's new state."""
        self._drafts[handle] = draft
        return ObjectView(handle, 0, dict(draft.attributes))

    def remove(self, handle: int) -> None:
        """Destroy an object."""
        del self._drafts[handle]

    def remove_private(self) -> None:
        """The user logged out (PKCS#11 v2.40 base, section 5.6, C_Logout)."""
        for handle in [handle for handle, draft in self._drafts.items() if is_true(draft.attributes, Cka.PRIVATE)]:
            del self._drafts[handle]

    def clear(self) -> None:
        """The session ended."""
        self._drafts.clear()

"""What the PC knows of a token: its description, its mechanisms, its objects without their secrets.

It outlives the link, so that keys stay listed while the device is away. No I/O in here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fob_daemon.device.views import DeviceObject, Page
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag
from fob_protocol.pkcs11.infos import MechanismInfo, TokenDescription

# A device holds 4,096 token objects; twice that leaves room for a larger one and bounds a broken one.
OBJECTS_LIMIT: Final = 8192


@dataclass(slots=True)
class ObjectCache:
    """`generation` 0 is a cache that knows nothing yet."""

    generation: int = 0
    token: TokenDescription | None = None
    mechanisms: Mapping[int, MechanismInfo] = field(default_factory=dict)
    objects: dict[int, DeviceObject] = field(default_factory=dict)
    _listeners: list[Callable[[], None]] = field(default_factory=list, repr=False, compare=False)

    def watch(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change."""
        self._listeners.append(listener)

    def get(self, device_handle: int) -> DeviceObject | None:
        """The object of a device handle, None when it is gone."""
        return self.objects.get(device_handle)

    def set_flags(self, flags: int) -> None:
        """The token's PIN counters changed."""
        if self.token is not None and self.token.flags != flags:
            self.token = replace(self.token, flags=TokenFlag(flags))
            self._changed()

    def set_label(self, label: str) -> None:
        """The token was initialised."""
        if self.token is not None:
            self.token = replace(self.token, label=label)

    def describe(self, token: TokenDescription, mechanisms: Mapping[int, MechanismInfo]) -> None:
        """What C_GetTokenInfo and C_GetMechanismList said."""
        self.token, self.mechanisms = token, mechanisms
        self._changed()

    def apply(self, page: Page) -> bool:
        """Take over the page of an answer; False when changes between the cache and the page are missing.

        Then the page's objects are known all the same, but the generation stays: the next sync asks from there.
        Raises CkrError DEVICE_ERROR for more than OBJECTS_LIMIT objects.
        """
        is_contiguous = page.full or self._covers(page)
        self._merge(page)
        if is_contiguous:
            self.generation = page.generation if page.full else max(self.generation, page.generation)
        self._changed()
        return is_contiguous

    def apply_sync(self, pages: Sequence[Page]) -> None:
        """Take over the pages of one sync, which are everything up to the last one's generation."""
        if pages[0].full:
            # Perhaps the device went back to an earlier life: nothing that we knew counts.
            self.generation = 0
        for page in pages:
            self._merge(page)
        self.generation = pages[-1].generation
        self._changed()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()

    def _covers(self, page: Page) -> bool:
        """True when every generation after ours, up to the page's, stands in the page."""
        covered = {o.generation for o in page.objects if o.generation > self.generation}
        if page.gone and page.generation > self.generation:
            covered.add(page.generation)
        return len(covered) >= page.generation - self.generation

    def _merge(self, page: Page) -> None:
        if page.full:
            self.objects.clear()
        for new in page.objects:
            if new.is_token_object and self._is_news(new, page):
                self.objects[new.device_handle] = new
        for handle in page.gone:
            self.objects.pop(handle, None)
        if len(self.objects) > OBJECTS_LIMIT:
            self.objects.clear()
            self.generation = 0
            raise CkrError(Ckr.DEVICE_ERROR, f"the device shows more than {OBJECTS_LIMIT} objects")

    def _is_news(self, new: DeviceObject, page: Page) -> bool:
        """An answer that comes late neither brings an old state back nor an object that was destroyed since."""
        known = self.objects.get(new.device_handle)
        if known is not None:
            return new.generation >= known.generation
        return page.full or new.generation > self.generation

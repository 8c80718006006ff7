"""An application's objects and the handles it knows them by: objects of the device, and session objects."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from fob_daemon.cryptoki.limits import HANDLES_LIMIT, SESSION_OBJECTS_LIMIT
from fob_daemon.cryptoki.login_state import LoginState
from fob_daemon.cryptoki.templates import is_private
from fob_daemon.device.slot import Slot
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError


@dataclass(slots=True, repr=False, eq=False)
class StoredObject:
    """An object as its application sees it. The attributes of a secret key hold its value, hence no `repr`.

    `session` None: a token object. `device_handle` None: it is on the PC alone. `link_session`: what a session object
    on the device goes with; its handle there may mean another object later.
    """

    slot: Slot
    attributes: Attributes
    session: int | None = None
    device_handle: int | None = None
    link_session: bytes | None = None

    @property
    def is_alive(self) -> bool:
        """False for a session object that the device lost."""
        return self.link_session is None or self.link_session == self.slot.remote.session_id

    @property
    def object_class(self) -> int | None:
        """CKA_CLASS."""
        value = self.attributes.get(Cka.CLASS)
        return value if isinstance(value, int) else None

    @property
    def is_key(self) -> bool:
        """True for a public, private or secret key."""
        return self.object_class in (Cko.PUBLIC_KEY, Cko.PRIVATE_KEY, Cko.SECRET_KEY)

    def says(self, attribute: Cka) -> bool:
        """A boolean attribute, False where there is none."""
        return self.attributes.get(attribute) is True


DeviceReference = tuple[Slot, int]


@dataclass(slots=True)
class ObjectTable:
    """Handles count up and are never used again."""

    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _references: dict[int, DeviceReference] = field(default_factory=dict)
    _handles: dict[DeviceReference, int] = field(default_factory=dict)
    _session_objects: dict[int, StoredObject] = field(default_factory=dict)

    def resolve(
        self, handle: int, slot: Slot, login: LoginState, missing: Ckr = Ckr.OBJECT_HANDLE_INVALID
    ) -> StoredObject:
        """Raises CkrError: `missing` for no object, USER_NOT_LOGGED_IN for one that shows after the login only."""
        found = self._look_up(handle)
        if found is None or found.slot is not slot:
            raise CkrError(missing, f"no object has the handle {handle}")
        if is_private(found.attributes) and not login.shows_private_objects:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "a private object shows after the login")
        return found

    def visible(self, slot: Slot, login: LoginState) -> Iterator[tuple[int, StoredObject]]:
        """What C_FindObjects may show, the oldest of each kind first."""
        shows_private = login.shows_private_objects
        for device_handle, device_object in sorted(slot.cache.objects.items()):
            if shows_private or not is_private(device_object.attributes):
                handle = self.of_device(slot, device_handle)
                yield handle, StoredObject(slot, device_object.attributes, device_handle=device_handle)
        for handle, stored in list(self._session_objects.items()):
            if stored.slot is slot and stored.is_alive and (shows_private or not is_private(stored.attributes)):
                yield handle, stored

    def of_device(self, slot: Slot, device_handle: int) -> int:
        """The handle of a token object, always the same. Raises CkrError HOST_MEMORY."""
        reference = (slot, device_handle)
        handle = self._handles.get(reference)
        if handle is None:
            self._make_room()
            handle = next(self._numbers)
            self._handles[reference] = handle
            self._references[handle] = reference
        return handle

    def require_room(self, objects: int = 1) -> None:
        """Raises CkrError HOST_MEMORY, before a device is asked for a session object in vain."""
        if len(self._session_objects) + objects > SESSION_OBJECTS_LIMIT:
            raise CkrError(Ckr.HOST_MEMORY, f"more than {SESSION_OBJECTS_LIMIT} session objects")

    def add(self, stored: StoredObject) -> int:
        """A new session object. Raises CkrError HOST_MEMORY."""
        self.require_room()
        handle = next(self._numbers)
        self._session_objects[handle] = stored
        return handle

    def remove(self, handle: int) -> None:
        """A session object is gone; a token object goes with the cache."""
        self._session_objects.pop(handle, None)

    def drop_session(self, session: int) -> list[StoredObject]:
        """The objects of a session that closed."""
        return self._drop([h for h, stored in self._session_objects.items() if stored.session == session])

    def drop_private(self, slot: Slot) -> list[StoredObject]:
        """The private session objects, at the logout."""
        private = [h for h, o in self._session_objects.items() if o.slot is slot and is_private(o.attributes)]
        return self._drop(private)

    def _drop(self, handles: list[int]) -> list[StoredObject]:
        return [self._session_objects.pop(handle) for handle in handles]

    def _look_up(self, handle: int) -> StoredObject | None:
        stored = self._session_objects.get(handle)
        if stored is not None:
            return stored if stored.is_alive else None
        reference = self._references.get(handle)
        if reference is None:
            return None
        slot, device_handle = reference
        found = slot.cache.get(device_handle)
        return None if found is None else StoredObject(slot, found.attributes, device_handle=device_handle)

    def _make_room(self) -> None:
        """Forget the handles of objects that are gone."""
        if len(self._references) < HANDLES_LIMIT:
            return
        for handle, (slot, device_handle) in list(self._references.items()):
            if slot.cache.get(device_handle) is None:
                del self._references[handle], self._handles[slot, device_handle]
        if len(self._references) >= HANDLES_LIMIT:
            raise CkrError(Ckr.HOST_MEMORY, f"more than {HANDLES_LIMIT} objects")

"""C_CreateObject, C_CopyObject, C_DestroyObject, C_GetAttributeValue, C_SetAttributeValue, C_FindObjects.

Token objects and private keys are the device's: one request each, and the cache follows from its answer. Other session
objects are the PC's.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from fob_daemon.cryptoki.interface import AttributeAnswer
from fob_daemon.cryptoki.libp11 import breaks_libp11, may_be_libp11
from fob_daemon.cryptoki.limits import FOUND_LIMIT
from fob_daemon.cryptoki.objects import ObjectTable, StoredObject
from fob_daemon.cryptoki.session import Found, Session
from fob_daemon.cryptoki.session_objects import change, copied, created
from fob_daemon.cryptoki.templates import checked, is_private, label_of, matches, readable
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.device.views import DeviceObject, Page
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue, Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.errors import CkrError

# What the device computes and takes from nobody: left out when a session object of the PC goes there.
COMPUTED_ON_DEVICE: Final = frozenset(
    {
        Cka.LOCAL, Cka.KEY_GEN_MECHANISM, Cka.MODULUS_BITS, Cka.URL, Cka.CHECK_VALUE,
        Cka.ALWAYS_SENSITIVE, Cka.NEVER_EXTRACTABLE,
    }
)  # fmt: skip
# The device keeps the value of a private object of these classes sealed and shows it after the login.
_SEALED_CLASSES: Final = frozenset({Cko.DATA, Cko.CERTIFICATE})


class ObjectDesk:
    """One application's calls about objects."""

    def __init__(self, table: ObjectTable) -> None:
        self._table = table
        self._last_sealed: tuple[DeviceObject, int, bytes] | None = None

    def resolve(self, session: Session, handle: int, missing: Ckr = Ckr.OBJECT_HANDLE_INVALID) -> StoredObject:
        """The object of a handle. Raises CkrError."""
        return self._table.resolve(handle, session.slot, session.login, missing)

    def find(self, session: Session, template: Template, *, asked_library_info: bool = False) -> Found:
        """C_FindObjectsInit: no round trip. Raises CkrError."""
        wanted = checked(template)
        visible = self._table.visible(session.slot, session.login)
        found = {handle: stored for handle, stored in visible if matches(stored.attributes, wanted)}
        handles = list(found)[:FOUND_LIMIT]
        if not may_be_libp11(wanted, asked_library_info=asked_library_info):
            return Found(handles)
        return Found(handles, frozenset(handle for handle in handles if breaks_libp11(found[handle])))

    async def create(self, session: Session, template: Template) -> int:
        """C_CreateObject. Raises CkrError."""
        wanted = self._wanted(session, template)
        self._require_write(session, wanted)
        if wanted.get(Cka.TOKEN, False) or wanted.get(Cka.CLASS) == Cko.PRIVATE_KEY:
            made = await session.login.noted(
                "create", label_of(wanted), lambda: self.ask(session, 1, lambda remote: remote.create_object(wanted))
            )
            return made[0]
        return self.add(session, created(wanted))

    async def copy(self, session: Session, handle: int, template: Template) -> int:
        """C_CopyObject. Raises CkrError."""
        source, wanted = self.resolve(session, handle), self._wanted(session, template)
        result = {**source.attributes, **wanted}
        self._require_write(session, result)
        if source.device_handle is not None:
            number = source.device_handle
            return (await self.ask(session, 1, lambda remote: remote.copy_object(number, wanted)))[0]
        new = copied(source.attributes, wanted)
        if not new.get(Cka.TOKEN, False):
            return self.add(session, new)
        if new.get(Cka.CLASS) == Cko.SECRET_KEY:
            raise CkrError(Ckr.TEMPLATE_INCONSISTENT, "secret keys are session objects")
        sent = {attribute: value for attribute, value in new.items() if attribute not in COMPUTED_ON_DEVICE}
        return (await self.ask(session, 1, lambda remote: remote.create_object(sent)))[0]

    async def destroy(self, session: Session, handle: int) -> None:
        """C_DestroyObject. Raises CkrError."""
        stored = self.resolve(session, handle)
        self._require_write(session, stored.attributes)
        if stored.device_handle is not None:
            number, remote = stored.device_handle, session.slot.remote
            page = await session.login.noted(
                "destroy",
                label_of(stored.attributes),
                lambda: session.login.run(lambda: remote.destroy_object(number)),
            )
            session.slot.apply(page)
        self._table.remove(handle)

    async def get_attributes(self, session: Session, handle: int, types: Sequence[int]) -> list[AttributeAnswer]:
        """C_GetAttributeValue: no round trip but for a sealed value. Raises CkrError."""
        stored = self.resolve(session, handle)
        return [await self._read(session, stored, attribute) for attribute in types]

    async def set_attributes(self, session: Session, handle: int, template: Template) -> None:
        """C_SetAttributeValue. Raises CkrError."""
        stored, wanted = self.resolve(session, handle), self._wanted(session, template)
        self._require_write(session, stored.attributes)
        if stored.device_handle is None:
            change(stored.attributes, wanted)
            return
        number, remote = stored.device_handle, session.slot.remote
        page = await session.login.run(lambda: remote.set_attributes(number, wanted))
        session.slot.apply(page)
        if stored.session is not None:
            stored.attributes = _made(page, 1)[0].attributes

    def size(self, session: Session, handle: int) -> int:
        """C_GetObjectSize: what the attributes take, roughly. Raises CkrError."""
        return sum(_size(value) for value in self.resolve(session, handle).attributes.values())

    def add(self, session: Session, attributes: Attributes) -> int:
        """A new session object of the PC. Raises CkrError."""
        if is_private(attributes) and attributes.get(Cka.PRIVATE) is True:
            session.login.require(Cku.USER)
        return self._table.add(StoredObject(session.slot, attributes, session.handle))

    async def ask(self, session: Session, count: int, make: Callable[[RemoteToken], Awaitable[Page]]) -> Sequence[int]:
        """One request that makes `count` objects on the device: their handles. Raises CkrError."""
        self._table.require_room(count)
        slot = session.slot
        link_session = slot.remote.session_id
        page = await session.login.run(lambda: make(slot.remote))
        slot.apply(page)
        return [self._handle(session, made, link_session) for made in _made(page, count)]

    def drop(self, gone: Sequence[StoredObject]) -> None:
        """Session objects ended; the device hears of its own in the background."""
        for stored in gone:
            if stored.device_handle is not None and stored.is_alive:
                destroy = stored.slot.remote.destroy_object
                stored.slot.background.run("destroy", partial(destroy, stored.device_handle))

    def forget_values(self) -> None:
        """The logout: no private value stays in memory."""
        self._last_sealed = None

    def _handle(self, session: Session, made: DeviceObject, link_session: bytes | None) -> int:
        if made.is_token_object:
            return self._table.of_device(session.slot, made.device_handle)
        stored = StoredObject(session.slot, made.attributes, session.handle, made.device_handle, link_session)
        return self._table.add(stored)

    async def _read(self, session: Session, stored: StoredObject, attribute: int) -> AttributeAnswer:
        is_sealed = stored.device_handle is not None and stored.object_class in _SEALED_CLASSES
        if attribute == Cka.VALUE and is_sealed and Cka.VALUE not in stored.attributes:
            return await self._read_sealed(session, stored)
        return readable(stored.attributes, attribute)

    async def _read_sealed(self, session: Session, stored: StoredObject) -> bytes:
        """One round trip; the last value is kept, because clients ask for the length first and then for the value."""
        number, remote = stored.device_handle, session.slot.remote
        known = session.slot.cache.get(number) if number is not None else None
        if number is None or known is None:
            raise CkrError(Ckr.OBJECT_HANDLE_INVALID, "the object is gone")
        if self._last_sealed is not None and self._last_sealed[0] is known:
            return self._last_sealed[2]
        value = await session.login.run(lambda: remote.get_attribute(number, Cka.VALUE))
        self._last_sealed = known, int(Cka.VALUE), value
        return value

    @staticmethod
    def _wanted(session: Session, template: Template) -> Attributes:
        """The attributes that a program wants an object to have. Raises CkrError."""
        wanted = checked(template)
        session.require_trust(wanted)
        return wanted

    @staticmethod
    def _require_write(session: Session, attributes: Template) -> None:
        """Raises CkrError SESSION_READ_ONLY for a token object, USER_NOT_LOGGED_IN for a private one."""
        if attributes.get(Cka.TOKEN, False):
            session.require_rw()
        if attributes.get(Cka.PRIVATE, attributes.get(Cka.CLASS) == Cko.PRIVATE_KEY):
            session.login.require(Cku.USER)


def _made(page: Page, count: int) -> Sequence[DeviceObject]:
    """The objects that an answer's page is about. Raises CkrError DEVICE_ERROR."""
    if len(page.objects) != count:
        raise CkrError(Ckr.DEVICE_ERROR, f"{len(page.objects)} objects where {count} are due")
    return page.objects


def _size(value: AttributeValue) -> int:
    return len(value) if isinstance(value, bytes | tuple) else 8

"""Token objects: in the file, their secrets sealed to the place where they stand."""

import hashlib
import sqlite3
from typing import Final

from fob_device.history.journal import NO_JOURNAL, Journal
from fob_device.store.codec import decode_attributes, encode_attributes
from fob_device.store.database import Database
from fob_device.store.object_rows import (
    ObjectRow,
    bury_object,
    count_objects,
    insert_object,
    iterate_changes,
    next_handle,
    read_object,
    update_object,
)
from fob_device.store.token_row import read_token
from fob_device.token import limits
from fob_device.token.device_root import DeviceRoot
from fob_device.token.making import Draft
from fob_device.token.sealing import SealBrokenError, derive_key, seal, unseal
from fob_device.token.values import int_of, is_true
from fob_device.token.views import ObjectView, Page
from fob_protocol.history.entry import Entry, Kind
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError

_KEY_PURPOSE: Final = "Fob token private key 1"
_VALUE_PURPOSE: Final = "Fob token private value 1"

# What a page spends on a line beside the stored attributes: handle, generation, line ends.
LINE_OVERHEAD: Final = 32


class TokenObjects:
    """A keeper (keepers.py) in the token's file."""

    def __init__(self, database: Database, root: DeviceRoot, journal: Journal = NO_JOURNAL) -> None:
        self._database = database
        self._root = root
        self._journal = journal

    def find(self, handle: int) -> ObjectView | None:
        """An object of the token."""
        row = self._database.read(lambda connection: read_object(connection, handle))
        return None if row is None or row.attributes is None else _view(row, row.attributes)

    def secret(self, handle: int, master_key: bytes) -> bytes | None:
        """An object's secret. Raises CkrError DEVICE_ERROR when it, or its attributes, are not what was stored."""
        row = self._database.read(lambda connection: read_object(connection, handle))
        if row is None or row.attributes is None or row.sealed is None:
            return None
        key, bound_to = self._seal_of(handle, row.attributes, master_key)
        try:
            return unseal(key, row.sealed, bound_to)
        except SealBrokenError:
            raise CkrError(Ckr.DEVICE_ERROR, f"object {handle} was altered in the token file") from None

    def require_room(self, count: int) -> None:
        """Raises CkrError DEVICE_MEMORY over the token's limit."""
        self._database.read(lambda connection: _require_room(connection, count))

    def add(self, draft: Draft, master_key: bytes | None) -> ObjectView:
        """Keep a new object; one transaction, or a part of the caller's."""
        encoded = encode_attributes(draft.attributes)
        with self._database.transaction() as connection:
            _require_room(connection, 1)
            handle = next_handle(connection)
            if handle >= limits.SESSION_HANDLE_BASE:
                raise CkrError(Ckr.DEVICE_MEMORY, "every handle was given once")
            sealed = self._seal(handle, encoded, draft.secret, master_key)
            generation = insert_object(connection, handle, encoded, sealed)
            self._note_new(connection, handle, draft.attributes)
        return ObjectView(handle, generation, dict(draft.attributes))

    def change(self, handle: int, draft: Draft, master_key: bytes | None) -> ObjectView:
        """Keep an object's new state."""
        encoded = encode_attributes(draft.attributes)
        sealed = self._seal(handle, encoded, draft.secret, master_key)
        with self._database.transaction() as connection:
            generation = update_object(connection, handle, encoded, sealed)
        return ObjectView(handle, generation, dict(draft.attributes))

    def remove(self, handle: int) -> None:
        """Destroy an object; its tombstone stays."""
        with self._database.transaction() as connection:
            self._note_end(connection, handle)
            bury_object(connection, handle)

    def changes_since(self, generation: int, limit_bytes: int) -> Page:
        """What changed after `generation`, about `limit_bytes` of it and at least one change."""
        return self._database.read(lambda connection: _page(connection, generation, limit_bytes))

    def _note_new(self, connection: sqlite3.Connection, handle: int, attributes: Attributes) -> None:
        if attributes.get(Cka.CLASS) == Cko.PRIVATE_KEY:
            kind = Kind.KEY_MADE if is_true(attributes, Cka.LOCAL) else Kind.KEY_IMPORTED
            self._journal.write(connection, Entry(kind, key=handle))

    def _note_end(self, connection: sqlite3.Connection, handle: int) -> None:
        row = read_object(connection, handle)
        if row is not None and row.attributes and decode_attributes(row.attributes).get(Cka.CLASS) == Cko.PRIVATE_KEY:
            self._journal.write(connection, Entry(Kind.KEY_DELETED, key=handle))

    def _seal(self, handle: int, encoded: bytes, secret: bytes | None, master_key: bytes | None) -> bytes | None:
        if secret is None:
            return None
        if master_key is None:
            raise CkrError(Ckr.USER_NOT_LOGGED_IN, "a secret is sealed with the user's key")
        key, bound_to = self._seal_of(handle, encoded, master_key)
        return seal(key, secret, bound_to, self._root.random)

    def _seal_of(self, handle: int, encoded: bytes, master_key: bytes) -> tuple[bytes, bytes]:
        """Key and associated data; with the attributes, so that nobody clears CKA_ALWAYS_AUTHENTICATE in the file."""
        object_class = int_of(decode_attributes(encoded), Cka.CLASS)
        purpose = _KEY_PURPOSE if object_class == Cko.PRIVATE_KEY else _VALUE_PURPOSE
        bound_to = self._root.bind(purpose, handle, object_class, hashlib.sha256(encoded).digest())
        return derive_key(master_key, purpose, salt=self._root.serial.encode()), bound_to


def _require_room(connection: sqlite3.Connection, count: int) -> None:
    if count_objects(connection) + count > limits.OBJECT_LIMIT:
        raise CkrError(Ckr.DEVICE_MEMORY, f"the token has at most {limits.OBJECT_LIMIT} objects")


def _view(row: ObjectRow, attributes: bytes) -> ObjectView:
    return ObjectView(row.handle, row.generation, decode_attributes(attributes))


def _page(connection: sqlite3.Connection, since: int, limit_bytes: int) -> Page:
    current = read_token(connection).generation
    # A computer that knows more than the token knew another state of it: it starts again.
    since = since if 0 <= since <= current else 0
    page = Page(current, full=since == 0, more=False, objects=[], deleted=[])
    size, last = 0, since
    for row in iterate_changes(connection, since):
        size += LINE_OVERHEAD + len(row.attributes or b"")
        if size > limit_bytes and last != since:
            return Page(last, page.full, more=True, objects=page.objects, deleted=page.deleted)
        if row.attributes is None:
            page.deleted.append(row.handle)
        else:
            page.objects.append(_view(row, row.attributes))
        last = row.generation
    return page

"""What a key is called, for entries that know its handle only."""

import sqlite3

from fob_device.store.codec import decode_attributes
from fob_device.store.object_rows import read_object
from fob_protocol.pkcs11.cka import Cka


def key_label(connection: sqlite3.Connection, handle: int) -> str:
    """The label of a token object; nothing for 0 and for what is no token object."""
    row = read_object(connection, handle) if handle else None
    label = decode_attributes(row.attributes).get(Cka.LABEL) if row is not None and row.attributes else None
    return label.decode(errors="replace") if isinstance(label, bytes) else ""

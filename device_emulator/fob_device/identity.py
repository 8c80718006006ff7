"""The device's identity: the static key pair by which paired computers know it, sealed under the root key."""

import sqlite3
from typing import Final

from fob_device.store.errors import TokenFileError
from fob_device.store.identity_row import read_identity, write_identity
from fob_device.token.device_root import DeviceRoot
from fob_device.token.sealing import SealBrokenError
from fob_protocol.noise.keys import KeyPair

_PURPOSE: Final = "Fob device identity 1"


def make_identity(connection: sqlite3.Connection, root: DeviceRoot) -> None:
    """Give a new phone its identity, for good."""
    write_identity(connection, root.seal(_PURPOSE, KeyPair.generate(root.random).private_bytes()))


def load_identity(connection: sqlite3.Connection, root: DeviceRoot) -> KeyPair:
    """The identity that `make_identity` stored. Raises TokenFileError when the row is gone or was altered."""
    sealed = read_identity(connection)
    if sealed is None:
        raise TokenFileError("the phone's identity is missing")
    try:
        return KeyPair.from_private_bytes(root.unseal(_PURPOSE, sealed))
    except SealBrokenError:
        raise TokenFileError("the phone's identity was altered") from None

"""Masters, and the keys that are derived of them: the only place where a master is used (M9, M12)."""

import hmac
from collections.abc import Mapping
from typing import Protocol

from fob_office.centre.boxes.errors import NotHeldError
from fob_office.centre.boxes.separation import NAMES, Purpose
from fob_protocol.cose.cbor import Value, encode

MASTER_SIZE = 32


class Vault(Protocol):
    """Holds masters, and gives out none of them."""

    def derive(self, purpose: Purpose, *context: Value) -> bytes:
        """32 octets for this purpose and context. Raises NotHeldError."""


def first_block(purpose: Purpose, context: tuple[Value, ...]) -> bytes:
    """What a master authenticates to give a key of 32 octets: T(1) of HKDF-Expand (RFC 5869, section 2.3)."""
    return encode([NAMES[purpose], *context]) + b"\x01"


class SoftwareVault:
    """Masters in the memory of the process, from its sealed state."""

    def __init__(self, masters: Mapping[Purpose, bytes]) -> None:
        self._masters = dict(masters)

    def __repr__(self) -> str:
        return "SoftwareVault()"

    def derive(self, purpose: Purpose, *context: Value) -> bytes:
        """As Vault says."""
        master = self._masters.get(purpose)
        if master is None:
            raise NotHeldError(f"this box holds no {purpose} master")
        return hmac.digest(master, first_block(purpose, context), "sha256")

"""The device root key, and what is wrapped under it."""

import hmac
from dataclasses import dataclass, field
from typing import Final

from fob_device.token.kdf import KdfCost, pin_key
from fob_device.token.limits import ROOT_KEY_SIZE
from fob_device.token.sealing import Random, binding, derive_key, seal, unseal
from fob_protocol.pkcs11.constants import Cku

_PIN_LABEL: Final = "Fob token PIN 1"
_TICKET_LABEL: Final = "Fob token login ticket 1"
_CHECK_LABEL: Final = "Fob token root check 1"
_LOG_LABEL: Final = "Fob history log key 1"


@dataclass(frozen=True, slots=True)
class DeviceRoot:
    """The key that a real phone keeps in its hardware (32 octets), with the token's serial number and randomness.

    Raises ValueError for a key of another size.
    """

    serial: str
    key: bytes = field(repr=False)
    random: Random

    def __post_init__(self) -> None:
        if len(self.key) != ROOT_KEY_SIZE:
            raise ValueError(f"a device root key has {ROOT_KEY_SIZE} octets, not {len(self.key)}")

    def pin_key(self, user: Cku, pin: bytes, salt: bytes, cost: KdfCost) -> bytes:
        """The key under a PIN; slow."""
        return pin_key(pin, salt, cost, self.key, f"{_PIN_LABEL} {user.name}")

    def ticket_key(self, ticket: bytes) -> bytes:
        """The key under a login ticket of 256 bits."""
        return derive_key(self.key, _TICKET_LABEL, salt=ticket)

    def check(self) -> bytes:
        """32 octets that tell whether a file belongs to this device, and nothing else."""
        return self._own_key(_CHECK_LABEL)

    def log_seed(self) -> bytes:
        """The seed of the key that signs the history, 32 octets."""
        return self._own_key(_LOG_LABEL)

    def fits(self, check: bytes) -> bool:
        """Whether `check` was made by this device."""
        return hmac.compare_digest(self.check(), check)

    def bind(self, purpose: str, *parts: str | bytes | int) -> bytes:
        """Associated data of a seal on this token."""
        return binding(purpose, self.serial, *parts)

    def seal(self, purpose: str, secret: bytes, *parts: str | bytes | int) -> bytes:
        """What the device keeps without a PIN: `secret`, bound to `parts`, under a key of its own for `purpose`."""
        return seal(self._own_key(purpose), secret, self.bind(purpose, *parts), self.random)

    def unseal(self, purpose: str, sealed: bytes, *parts: str | bytes | int) -> bytes:
        """What `seal` sealed. Raises SealBrokenError."""
        return unseal(self._own_key(purpose), sealed, self.bind(purpose, *parts))

    def _own_key(self, label: str) -> bytes:
        return derive_key(self.key, label, salt=self.serial.encode())

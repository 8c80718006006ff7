"""From a PIN to a key, slowly (Argon2id, RFC 9106)."""

from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from fob_device.token.sealing import KEY_SIZE, derive_key

SALT_SIZE: Final = 16
# What a record in a file may ask for: a damaged one must not take all memory or all day.
MEMORY_KIB_LIMIT: Final = 1 << 20
ITERATIONS_LIMIT: Final = 64
LANES_LIMIT: Final = 16


@dataclass(frozen=True, slots=True)
class KdfCost:
    """Argon2id cost. Raises ValueError for a cost outside the limits."""

    iterations: int
    memory_kib: int
    lanes: int

    def __post_init__(self) -> None:
        if not (
            1 <= self.iterations <= ITERATIONS_LIMIT
            and 1 <= self.lanes <= LANES_LIMIT
            and 8 * self.lanes <= self.memory_kib <= MEMORY_KIB_LIMIT
        ):
            raise ValueError("Argon2id cost outside the limits")


# RFC 9106, section 4, second recommendation, on the one lane that a worker thread has.
DEFAULT_KDF_COST: Final = KdfCost(iterations=3, memory_kib=64 * 1024, lanes=1)


def pin_key(pin: bytes, salt: bytes, cost: KdfCost, root_key: bytes, label: str) -> bytes:
    """The key that wraps the master key: needs the PIN and the device root key, so neither alone opens the file."""
    stretched = Argon2id(
        salt=salt, length=KEY_SIZE, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    ).derive(pin)
    return derive_key(root_key, label, salt=stretched)

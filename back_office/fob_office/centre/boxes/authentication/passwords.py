"""Passwords of mailers: what they have to be, and the verifier that is kept of them.

Argon2id with a secret value (RFC 9106, section 3.1: K) that only authentication boxes can derive: whoever has
verifiers, as staff at the database do and each backup, can try no password on them.
"""

import asyncio
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, NamedTuple, TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from fob_office.centre.bus.errors import BusRefusedError
from fob_office.centre.words import Word
from fob_protocol.metering.limits import PASSWORD_LEAST, PASSWORD_LIMIT

SALT_SIZE: Final = 16
VERIFIER_SIZE: Final = 32
KEY_SIZE: Final = 32
# Threads that work on passwords: each takes a core, and COST's memory.
AT_ONCE: Final = 2
# Sign-ups and sign-ons that wait for one of them: some seconds, before the device gives up.
IN_HAND_LIMIT: Final = 32

T = TypeVar("T")


class Cost(NamedTuple):
    """What one guess costs whoever has verifiers and their keys, having opened a box."""

    iterations: int
    memory_kib: int
    lanes: int


# RFC 9106, section 4, second recommendation, on one lane: there are other cores for other mailers.
COST: Final = Cost(iterations=3, memory_kib=64 * 1024, lanes=1)


class Passwords:
    """Works off the event loop, AT_ONCE at a time. Close it at the end."""

    def __init__(self, random: Callable[[int], bytes], cost: Cost = COST) -> None:
        self._random = random
        self._cost = cost
        self._threads = ThreadPoolExecutor(AT_ONCE, "passwords")
        self._in_hand = 0
        # Of a password that nobody knows: who has no account costs the same work.
        self._nobodys = self._verifier(random(VERIFIER_SIZE), random(KEY_SIZE))

    @contextmanager
    def room(self) -> Iterator[None]:
        """To be held while something is asked of it. Raises BusRefusedError UNAVAILABLE."""
        if self._in_hand >= IN_HAND_LIMIT:
            raise BusRefusedError(Word.UNAVAILABLE, "too many sign on at once")
        self._in_hand += 1
        try:
            yield
        finally:
            self._in_hand -= 1

    async def verifier(self, password: str, key: bytes) -> str:
        """In the PHC string format; `key` (KEY_SIZE octets) is the account's. Raises BusRefusedError MALFORMED."""
        normal = _normal(password)
        if not PASSWORD_LEAST <= len(normal) <= PASSWORD_LIMIT:
            raise BusRefusedError(Word.MALFORMED, f"a password has {PASSWORD_LEAST} to {PASSWORD_LIMIT} characters")
        return await self._work(lambda: self._verifier(normal.encode(), key))

    async def is_right(self, password: str, key: bytes, verifier: str | None) -> bool:
        """Without a verifier it is not, after the same work."""
        kept = verifier or self._nobodys
        is_right = await self._work(lambda: _is_of(_normal(password).encode(), key, kept))
        return is_right and verifier is not None

    def close(self) -> None:
        """What is in hand is finished."""
        self._threads.shutdown()

    def _verifier(self, password: bytes, key: bytes) -> str:
        return Argon2id(
            salt=self._random(SALT_SIZE),
            length=VERIFIER_SIZE,
            iterations=self._cost.iterations,
            lanes=self._cost.lanes,
            memory_cost=self._cost.memory_kib,
            secret=key,
        ).derive_phc_encoded(password)

    async def _work(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _normal(password: str) -> str:
    """As every keyboard types it (RFC 8265, section 4.2: NFC)."""
    return unicodedata.normalize("NFC", password)


def _is_of(password: bytes, key: bytes, verifier: str) -> bool:
    """Compared in constant time."""
    try:
        Argon2id.verify_phc_encoded(password, verifier, secret=key)
    except InvalidKey:
        return False
    return True

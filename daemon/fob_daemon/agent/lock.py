"""`ssh-add -x`: a passphrase hides all keys until the same one comes again."""

import asyncio
import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from fob_daemon.agent.limits import LONGEST_UNLOCK_WAIT, UNLOCK_WAIT

_SALT_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class _Verifier:
    salt: bytes = field(repr=False)
    hash: bytes = field(repr=False)


class AgentLock:
    """One lock for all connections. `sleep` is asyncio.sleep unless a test brings its own."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self._verifier: _Verifier | None = None
        self._wrong = 0
        # Guesses take turns, so that many connections guess no faster than one.
        self._turn = asyncio.Lock()

    @property
    def is_locked(self) -> bool:
        """Whether all keys are hidden."""
        return self._verifier is not None

    async def lock(self, passphrase: bytes) -> bool:
        """False when it is locked already."""
        async with self._turn:
            if self._verifier is not None:
                return False
            salt = os.urandom(_SALT_SIZE)
            self._verifier = _Verifier(salt, await asyncio.to_thread(_stretch, passphrase, salt))
            return True

    async def unlock(self, passphrase: bytes) -> bool:
        """False when the passphrase is wrong, after a wait that grows, or when nothing is locked."""
        async with self._turn:
            verifier = self._verifier
            if verifier is None:
                return False
            guess = await asyncio.to_thread(_stretch, passphrase, verifier.salt)
            if hmac.compare_digest(guess, verifier.hash):
                self._verifier = None
                self._wrong = 0
                return True
            self._wrong += 1
            await self._sleep(min(UNLOCK_WAIT * self._wrong, LONGEST_UNLOCK_WAIT))
            return False


def _stretch(passphrase: bytes, salt: bytes) -> bytes:
    """scrypt (RFC 7914) with 16 MiB: a memory image does not give the passphrase away cheaply."""
    return hashlib.scrypt(passphrase, salt=salt, n=2**14, r=8, p=1)

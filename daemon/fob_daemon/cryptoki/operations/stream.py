"""Ciphers whose output comes with their input; the length of each output is known before anything is computed."""

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import CipherContext

from fob_daemon.cryptoki.heavy import compute
from fob_daemon.cryptoki.interface import Output
from fob_daemon.cryptoki.output import fits, fitted
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

BLOCK: Final = 16


class Chaining:
    """How much of the input can be worked on at once; here all of it, as a stream cipher does.

    `limit`: octets of input in all. `is_exact`: `tail_length` is the length and not a bound on it.
    """

    limit: int = 1 << 62
    too_long = Ckr.DATA_LEN_RANGE
    is_exact = True

    def ready(self, pending: int) -> int:
        """Of so many octets of input, how many give output now."""
        return pending

    def tail_length(self, pending: int) -> int:
        """Octets of the last output."""
        return 0

    def tail(self, context: CipherContext, pending: bytes) -> bytes:
        """The last output. Raises CkrError when the input may not end here."""
        return context.finalize()


class BlocksOnly(Chaining):
    """ECB and CBC: whole blocks."""

    def __init__(self, *, is_encryption: bool) -> None:
        self._wrong_length = Ckr.DATA_LEN_RANGE if is_encryption else Ckr.ENCRYPTED_DATA_LEN_RANGE

    def ready(self, pending: int) -> int:
        """Whole blocks."""
        return pending - pending % BLOCK

    def tail(self, context: CipherContext, pending: bytes) -> bytes:
        """Nothing may be left."""
        if pending:
            raise CkrError(self._wrong_length, f"whole blocks of {BLOCK} octets are due")
        return context.finalize()


class Padded(BlocksOnly):
    """CBC encryption with the padding of PKCS#7."""

    def __init__(self) -> None:
        super().__init__(is_encryption=True)

    def tail_length(self, pending: int) -> int:
        """The block with the padding."""
        return BLOCK

    def tail(self, context: CipherContext, pending: bytes) -> bytes:
        """The padding fills the last block, or is one."""
        padder = padding.PKCS7(8 * BLOCK).padder()
        return context.update(padder.update(pending) + padder.finalize()) + context.finalize()


class Unpadded(Chaining):
    """CBC decryption with the padding of PKCS#7: the last block waits for the end."""

    is_exact = False

    def ready(self, pending: int) -> int:
        """All blocks but the last."""
        return max(pending - 1, 0) // BLOCK * BLOCK

    def tail_length(self, pending: int) -> int:
        """A block less its padding."""
        return BLOCK

    def tail(self, context: CipherContext, pending: bytes) -> bytes:
        """The last block without its padding."""
        if len(pending) != BLOCK:
            raise CkrError(Ckr.ENCRYPTED_DATA_LEN_RANGE, f"whole blocks of {BLOCK} octets are due")
        unpadder = padding.PKCS7(8 * BLOCK).unpadder()
        try:
            return unpadder.update(context.update(pending) + context.finalize()) + unpadder.finalize()
        except ValueError:
            raise CkrError(Ckr.ENCRYPTED_DATA_INVALID, "the padding is wrong") from None


class StreamCipher:
    """One encryption or decryption. The single call starts afresh each time, so that it may be tried again."""

    key_use = None

    def __init__(self, start: Callable[[], CipherContext], chaining: Chaining) -> None:
        self._start = start
        self._chaining = chaining
        self._context: CipherContext | None = None
        self._pending = b""
        self._taken = 0
        self._last: bytes | None = None

    async def whole(self, data: bytes, room: int | None) -> Output:
        """C_Encrypt or C_Decrypt."""
        if self._context is not None:
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED, "the final call ends an operation in parts")
        self._require_room_for(len(data))
        ready = self._chaining.ready(len(data))
        most = ready + self._chaining.tail_length(len(data) - ready)
        if room is None or (self._chaining.is_exact and not fits(most, room)):
            return most
        return fitted(await compute(len(data), lambda: self._all_at_once(data, ready)), room)

    async def update(self, part: bytes, room: int | None) -> Output:
        """One part."""
        self._require_room_for(self._taken + len(part))
        pending = self._pending + part
        ready = self._chaining.ready(len(pending))
        if not fits(ready, room):
            return ready
        context = self._context = self._context or self._start()
        self._taken += len(part)
        self._pending = pending[ready:]
        return await compute(ready, lambda: context.update(pending[:ready]))

    async def final(self, room: int | None) -> Output:
        """What is left; computed once, and kept when it does not fit."""
        if self._last is None:
            most = self._chaining.tail_length(len(self._pending))
            if room is None or (self._chaining.is_exact and not fits(most, room)):
                return most
            self._last = self._chaining.tail(self._context or self._start(), self._pending)
        return fitted(self._last, room)

    def _all_at_once(self, data: bytes, ready: int) -> bytes:
        context = self._start()
        return context.update(data[:ready]) + self._chaining.tail(context, data[ready:])

    def _require_room_for(self, taken: int) -> None:
        if taken > self._chaining.limit:
            raise CkrError(self._chaining.too_long, f"more than {self._chaining.limit} octets")

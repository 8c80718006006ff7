"""What C_Encrypt and C_Decrypt ask of an operation, whatever the algorithm and wherever the key is."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from fob_daemon.cryptoki.interface import Output
from fob_daemon.cryptoki.key_use import KeyUse
from fob_daemon.cryptoki.operations.inputs import Collected
from fob_daemon.cryptoki.output import fits, fitted
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class CipherOperation(Protocol):
    """An encryption or a decryption; `key_use` is set when the key is on the device."""

    @property
    def key_use(self) -> KeyUse | None: ...
    async def whole(self, data: bytes, room: int | None) -> Output:
        """C_Encrypt or C_Decrypt."""

    async def update(self, part: bytes, room: int | None) -> Output:
        """One part; the length when the output would not fit, and then nothing happened."""

    async def final(self, room: int | None) -> Output:
        """What is left."""


class CollectingCipher:
    """A cipher that works on all of its input at once, at the end: `work` runs once for one input.

    `most` is what the result has at most, given the length of the input; a length query answers it without any work. A
    smaller buffer may be enough: the result that did not fit is kept for the next call.
    """

    def __init__(
        self,
        work: Callable[[bytes], Awaitable[bytes]],
        most: Callable[[int], int],
        limit: int,
        too_long: Ckr,
        key_use: KeyUse | None = None,
    ) -> None:
        self.key_use = key_use
        self._work = work
        self._most = most
        self._input = Collected(limit, too_long)
        self._limit = limit
        self._too_long = too_long
        self._has_parts = False
        self._kept: tuple[bytes, bytes] | None = None

    async def whole(self, data: bytes, room: int | None) -> Output:
        """C_Encrypt or C_Decrypt."""
        if self._has_parts:
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED, "the final call ends an operation in parts")
        if len(data) > self._limit:
            raise CkrError(self._too_long, f"more than {self._limit} octets")
        return await self._result(data, room)

    async def update(self, part: bytes, room: int | None) -> Output:
        """Keep a part; the output comes with the final call."""
        self._has_parts = True
        if room is None:
            return 0
        self._input.update(part)
        return b""

    async def final(self, room: int | None) -> Output:
        """The result of all parts."""
        return await self._result(self._input.result(), room)

    async def _result(self, data: bytes, room: int | None) -> Output:
        if self._kept is not None and self._kept[0] == data:
            return fitted(self._kept[1], room)
        if room is None:
            return self._most(len(data))
        result = await self._work(data)
        if not fits(len(result), room):
            self._kept = data, result
        return fitted(result, room)

"""What an operation makes of the data that comes in parts: a digest, or all of it up to a bound."""

from collections.abc import Callable
from typing import Protocol

from fob_daemon.cryptoki.hash_table import Hasher
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError


class Input(Protocol):
    """Takes parts; gives what the operation works on."""

    def update(self, part: bytes) -> None: ...
    def result(self) -> bytes: ...


class Hashed:
    """The digest, or the MAC, of all parts."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher

    def update(self, part: bytes) -> None:
        """Hash a part."""
        self._hasher.update(part)

    def result(self) -> bytes:
        """The digest."""
        return self._hasher.digest()


class Seen:
    """Another input, whose parts `see` has a look at."""

    def __init__(self, data: Input, see: Callable[[bytes], None]) -> None:
        self._data = data
        self._see = see

    def update(self, part: bytes) -> None:
        """Pass a part on."""
        self._see(part)
        self._data.update(part)

    def result(self) -> bytes:
        """What the other makes of it."""
        return self._data.result()


class Collected:
    """All parts together, at most `limit` octets; no `repr`, since they may be secret."""

    def __init__(self, limit: int, too_long: Ckr = Ckr.DATA_LEN_RANGE) -> None:
        self._limit = limit
        self._too_long = too_long
        self._parts = bytearray()

    def update(self, part: bytes) -> None:
        """Keep a part. Raises CkrError when it is too much."""
        if len(self._parts) + len(part) > self._limit:
            raise CkrError(self._too_long, f"more than {self._limit} octets")
        self._parts += part

    def result(self) -> bytes:
        """Everything."""
        return bytes(self._parts)

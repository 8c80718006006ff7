"""A no is for the operation, however often and by whichever calls the client tries it; so is silence.

pkcs11-tool calls C_SignUpdate and C_SignFinal when C_Sign fails, whatever the reason: one operation, two questions.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fob_daemon.caller.behalf import Asker, current_asker
from fob_daemon.cryptoki.limits import REFUSAL_TIME
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.mechanisms import Mechanism

T = TypeVar("T")

# What the person answered, or did not.
_REFUSALS: Final = {
    Ckr.FUNCTION_REJECTED: "the device's person has just said no to this",
    Ckr.FUNCTION_CANCELED: "the device's person has just left this unanswered",
}

# Key, mechanism, the digest of the data, and for whom where the agent asks for many.
_Request = tuple[int, Mechanism, bytes, Asker | None]


@dataclass(slots=True)
class Refusals:
    """The last refusal in one session. `clock` in seconds."""

    clock: Callable[[], float] = time.monotonic
    _refused: tuple[_Request, float, Ckr] | None = field(default=None, init=False)

    async def ask(self, key: int, mechanism: Mechanism, digest: bytes, work: Callable[[], Awaitable[T]]) -> T:
        """`work`, unless the same was refused less than REFUSAL_TIME ago. Raises the CkrError of then, or its own."""
        request = key, mechanism, digest, current_asker()
        if self._refused is not None:
            refused, at, ckr = self._refused
            if refused == request and self.clock() - at < REFUSAL_TIME:
                raise CkrError(ckr, _REFUSALS[ckr])
        try:
            return await work()
        except CkrError as error:
            if error.ckr in _REFUSALS:
                self._refused = request, self.clock(), error.ckr
            raise

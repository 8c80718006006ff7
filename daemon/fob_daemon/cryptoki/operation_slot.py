"""The place that a session has for one active operation of a kind (PKCS#11 v2.40, section 5.2 and 6.7.6).

An operation begins with its Init call and ends with its result, with any error but a buffer that is too small, and
with a cancel.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from fob_daemon.cryptoki.interface import Output
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

T = TypeVar("T")


class OperationSlot(Generic[T]):
    """At most one operation, and at most one call at work on it."""

    def __init__(self) -> None:
        self._operation: T | None = None
        self._is_busy = False

    @property
    def active(self) -> T | None:
        """The operation, None when none is active."""
        return self._operation

    def begin(self, operation: T) -> None:
        """Raises CkrError OPERATION_ACTIVE."""
        self.require_free()
        self._operation = operation

    def require_free(self) -> None:
        """Raises CkrError OPERATION_ACTIVE."""
        if self._operation is not None:
            raise CkrError(Ckr.OPERATION_ACTIVE, "an operation of this kind is active")

    def cancel(self) -> None:
        """Drop the operation; a call that is at work on it still gets its answer."""
        self._operation = None
        self._is_busy = False

    @contextmanager
    def step(self) -> Iterator[T]:
        """One call of the operation; an error ends it.

        Raises CkrError: OPERATION_NOT_INITIALIZED; OPERATION_ACTIVE while another call is at work on it.
        """
        operation = self._operation
        if operation is None:
            raise CkrError(Ckr.OPERATION_NOT_INITIALIZED, "no operation of this kind is active")
        if self._is_busy:
            raise CkrError(Ckr.OPERATION_ACTIVE, "another call is at work on this operation")
        self._is_busy = True
        try:
            yield operation
        except BaseException:
            self._end(operation)
            raise
        if self._operation is operation:
            self._is_busy = False

    @contextmanager
    def last_step(self) -> Iterator[T]:
        """A call that ends the operation in any case. Raises CkrError as `step`."""
        with self.step() as operation:
            yield operation
        self._end(operation)

    async def finish(self, work: Callable[[T], Awaitable[Output]]) -> Output:
        """A call that ends the operation, unless it gave only a length."""
        with self.step() as operation:
            output = await work(operation)
        if isinstance(output, bytes):
            self._end(operation)
        return output

    def _end(self, operation: T) -> None:
        if self._operation is operation:
            self.cancel()

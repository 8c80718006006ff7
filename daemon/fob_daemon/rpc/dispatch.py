"""One connection's requests against its application: a body in, the body of the reply out. No I/O in here.

C_Initialize makes the application and C_Finalize ends it. A request that waits comes back as a coroutine, so that the
caller can let other requests of the same connection pass it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

import structlog

from fob_daemon.cryptoki.interface import Application
from fob_daemon.rpc.calls import (
    CALLS,
    ERROR_ID,
    FINALIZE,
    INITIALIZE,
    WAIT_FOR_SLOT_EVENT,
    Call,
    PromptCall,
    WaitingCall,
)
from fob_daemon.rpc.limits import NEWEST_VERSION
from fob_daemon.rpc.signatures import Arguments, message_head
from fob_daemon.rpc.wire import U32, U64, MalformedBodyError
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.errors import CkrError

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# What C_Initialize carries to say which protocol this is.
MAGIC: Final = b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"

# Clients that offer less than this encode mechanisms in the old way, unless they came back after a failed handshake.
_CURRENT_MECHANISMS_VERSION: Final = 2

_ERROR_HEAD = message_head(ERROR_ID, "u")

Reply = bytes | Coroutine[object, object, bytes]


def error_reply(ckr: int) -> bytes:
    """The body that says: the call ended with `ckr`."""
    return _ERROR_HEAD + U64.pack(ckr)


class Dispatcher:
    """Answers the requests of one connection.

    `offered_version` is the byte that the client sent first; `make_application` is called at C_Initialize;
    `call_timeout` bounds in seconds every call that waits, except C_WaitForSlotEvent, whose purpose is to wait.
    """

    def __init__(
        self, offered_version: int, make_application: Callable[[], Application], call_timeout: float | None = None
    ) -> None:
        self.version = min(offered_version, NEWEST_VERSION)
        self._legacy_mechanisms = offered_version < _CURRENT_MECHANISMS_VERSION
        self._make_application = make_application
        self._call_timeout = call_timeout
        self._application: Application | None = None

    def close(self) -> None:
        """The connection ended, or the client finalized: the application goes."""
        application, self._application = self._application, None
        if application is not None:
            application.close()

    def answer(self, body: bytes) -> Reply:
        """The reply's body, or a coroutine for it. Nothing that a client sends makes it raise."""
        if len(body) < U32.size:
            return error_reply(Ckr.DEVICE_ERROR)
        call = CALLS.get(U32.unpack_from(body)[0])
        if call is None:
            return error_reply(Ckr.FUNCTION_NOT_SUPPORTED)
        try:
            return self._serve(call, body)
        except (CkrError, MalformedBodyError) as refusal:
            return _refused(call, refusal)
        except Exception as fault:  # the client must get an answer, and the others must not notice
            return _failed(call, fault)

    def _serve(self, call: Call, body: bytes) -> Reply:
        if call.id in (INITIALIZE, FINALIZE):
            return self._change_life(call, body)
        if not isinstance(call, (PromptCall, WaitingCall)) or self.version < call.minimum_version:
            raise CkrError(Ckr.FUNCTION_NOT_SUPPORTED)
        arguments = self._arguments(call, body)
        if self._application is None:
            raise CkrError(Ckr.CRYPTOKI_NOT_INITIALIZED)
        if isinstance(call, PromptCall):
            return call.reply_head + call.handler(self._application, *arguments)
        return self._wait(call, self._application, arguments)

    def _change_life(self, call: Call, body: bytes) -> bytes:
        arguments = self._arguments(call, body)
        if call.id == FINALIZE:
            if self._application is None:
                raise CkrError(Ckr.CRYPTOKI_NOT_INITIALIZED)
            self.close()
        elif arguments[0] != MAGIC:
            raise CkrError(Ckr.GENERAL_ERROR, "another protocol")
        elif self._application is not None:
            raise CkrError(Ckr.CRYPTOKI_ALREADY_INITIALIZED)
        else:
            self._application = self._make_application()
        return call.reply_head

    def _arguments(self, call: Call, body: bytes) -> Arguments:
        """The arguments; a connection keeps the encoding of mechanisms in which its requests make sense.

        A client from 0.25.6 on whose first connection dropped comes back offering version 0 and encodes as before, so
        the byte that it offered is a guess, and the length of the body proves or refutes it.
        """
        decoder = call.decoder
        if not decoder.has_mechanism:
            return decoder.decode(body, legacy_mechanisms=False)
        refusals: list[CkrError | MalformedBodyError] = []
        for legacy in (self._legacy_mechanisms, not self._legacy_mechanisms):
            try:
                arguments = decoder.decode(body, legacy_mechanisms=legacy)
            except (CkrError, MalformedBodyError) as refusal:
                refusals.append(refusal)
            else:
                self._legacy_mechanisms = legacy
                return arguments
        # That a parameter is wrong tells the client more than that the other encoding does not fit.
        raise next((refusal for refusal in refusals if isinstance(refusal, CkrError)), refusals[0])

    async def _wait(self, call: WaitingCall, application: Application, arguments: Arguments) -> bytes:
        timeout = None if call.id == WAIT_FOR_SLOT_EVENT else self._call_timeout
        try:
            async with asyncio.timeout(timeout):
                return call.reply_head + await call.handler(application, *arguments)
        except TimeoutError:
            _log.warning("rpc.call_timed_out", call=call.name)
            # NSS opens its session again after it; others report a failed operation, and their next call works.
            return error_reply(Ckr.DEVICE_ERROR)
        except CkrError as refusal:
            return _refused(call, refusal)
        except Exception as fault:  # as above
            return _failed(call, fault)


def _refused(call: Call, refusal: CkrError | MalformedBodyError) -> bytes:
    ckr = refusal.ckr if isinstance(refusal, CkrError) else Ckr.DEVICE_ERROR
    _log.debug("rpc.refused", call=call.name, reason=str(refusal))
    return error_reply(ckr)


def _failed(call: Call, fault: Exception) -> bytes:
    """A mistake of ours. Its text may hold what the client sent, so only its type is logged."""
    _log.error("rpc.failed", call=call.name, fault=type(fault).__name__)
    return error_reply(Ckr.GENERAL_ERROR)

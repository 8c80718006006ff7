"""One connection's conversation: a request in, a reply out. No I/O; the engine does the waiting."""

from dataclasses import dataclass, field
from typing import Final

import structlog

from fob_daemon.agent import messages
from fob_daemon.agent.bindings import SESSION_BIND, BindingRefusedError, SessionBindings
from fob_daemon.agent.callers import Surroundings, caller_of
from fob_daemon.agent.identities import list_identities
from fob_daemon.agent.lock import AgentLock
from fob_daemon.agent.logins import DEFAULT_PROVIDER, AgentLogins
from fob_daemon.agent.messages import (
    AddSmartcardKey,
    Extension,
    Lock,
    RemoveSmartcardKey,
    Request,
    RequestIdentities,
    SignRequest,
    Unlock,
    Unsupported,
    parse_request,
)
from fob_daemon.agent.signatures import MalformedSignatureError, UnsupportedSignatureError, plan_signature
from fob_daemon.agent.wire import MalformedMessageError, string
from fob_daemon.caller.behalf import Asker, on_behalf_of
from fob_daemon.caller.forwarding import forwards
from fob_daemon.cryptoki.interface import Application
from fob_daemon.peer import PeerIdentity
from fob_protocol.pkcs11.errors import CkrError

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_QUERY: Final = "query"
_EXTENSIONS: Final = (SESSION_BIND,)


class RefusedError(Exception):
    """The agent does not do this here and now; the message says why."""


# Every reason to answer FAILURE: in general, and to a signature with a known key.
_REFUSALS: Final = (BindingRefusedError, CkrError, MalformedMessageError, RefusedError)
_SIGNATURE_REFUSALS: Final = (CkrError, MalformedSignatureError, UnsupportedSignatureError)


@dataclass(frozen=True, slots=True)
class SharedState:
    """What all connections of the agent have in common."""

    logins: AgentLogins
    lock: AgentLock
    surroundings: Surroundings = field(default_factory=Surroundings)


class AgentSession:
    """Answers the requests of `peer`, who sees the keys that `application` shows."""

    def __init__(self, peer: PeerIdentity, application: Application, shared: SharedState) -> None:
        self._peer = peer
        self._application = application
        self._surroundings = shared.surroundings
        self._logins = shared.logins
        self._lock = shared.lock
        self._bindings = SessionBindings()
        self._log = _log.bind(program=peer.program, pid=peer.pid)

    def close(self) -> None:
        """The connection ended."""
        self._application.close()

    async def answer(self, message: bytes) -> bytes:
        """The reply to a message, without lengths; FAILURE, and a line in the log, for all that cannot be done."""
        operation = "unreadable"
        try:
            request = parse_request(message)
            operation = type(request).__name__
            reply = await self._answer(request)
        except _REFUSALS as error:
            self._log.warning("agent.refused", operation=operation, reason=str(error), **self._origin())
            return messages.FAILURE
        return reply

    async def _answer(self, request: Request) -> bytes:
        # Bindings are kept while locked too, or a forwarded connection would seem local afterwards.
        if self._lock.is_locked and not isinstance(request, Unlock | Extension):
            return self._answer_locked(request)
        match request:
            case RequestIdentities():
                return messages.identities_answer(await list_identities(self._application, self._logins))
            case SignRequest():
                return await self._sign(request)
            case Extension():
                return self._extension(request)
            case Unsupported():
                raise RefusedError(f"request {request.number} is none that a token can fulfil")
            case _:
                self._require_local()
                await self._administer(request)
                self._log.info("agent.done", operation=type(request).__name__)
                return messages.SUCCESS

    def _answer_locked(self, request: Request) -> bytes:
        if isinstance(request, RequestIdentities):
            return messages.identities_answer(())
        raise RefusedError("the agent is locked")

    def _require_local(self) -> None:
        """A remote host must not use up the tries of the PIN, nor lock people out; no ssh asks for that itself."""
        if self._bindings.is_bound or forwards(self._peer.program):
            raise RefusedError("only a program on this computer may do this")

    async def _administer(self, request: AddSmartcardKey | RemoveSmartcardKey | Lock | Unlock) -> None:
        match request:
            case AddSmartcardKey():
                await self._logins.login(self._logins.find_token(request.provider), request.pin)
            case RemoveSmartcardKey():
                await self._logins.logout(self._logins.find_token(request.provider))
            case Lock():
                if not await self._lock.lock(request.passphrase):
                    raise RefusedError("the agent is locked already")
            case Unlock():
                await self._unlock(request.passphrase)

    async def _unlock(self, passphrase: bytes) -> None:
        """Without a lock, the passphrase is the PIN of a token that has no PIN pad and no login yet."""
        if self._lock.is_locked:
            if not await self._lock.unlock(passphrase):
                raise RefusedError("the passphrase is wrong")
            return
        slot = self._logins.find_token(DEFAULT_PROVIDER)
        if not passphrase or self._logins.has_pin_pad(slot) or self._logins.is_logged_in(slot):
            raise RefusedError("the agent is not locked")
        await self._logins.login(slot, passphrase)

    async def _sign(self, request: SignRequest) -> bytes:
        identities = await list_identities(self._application, self._logins)
        identity = next((known for known in identities if known.blob == request.key_blob), None)
        if identity is None:
            raise RefusedError("the key is none of this agent's")
        log = self._log.bind(operation=type(request).__name__, key=identity.comment, **self._origin())
        try:
            plan = plan_signature(identity.algorithm, request.data, request.flags)
            caller = await caller_of(request.data, self._peer, self._bindings, self._surroundings)
            log = log.bind(forwarded=caller.is_forwarded)
            with on_behalf_of(Asker(self._peer, caller)):
                signature = plan.encode(await self._logins.sign(identity.name, plan.mechanism, plan.data))
        except _SIGNATURE_REFUSALS as error:
            log.warning("agent.refused", reason=str(error))
            return messages.FAILURE
        log.info("agent.signed", algorithm=plan.algorithm)
        return messages.sign_response(signature)

    def _extension(self, request: Extension) -> bytes:
        if request.name == SESSION_BIND:
            binding = self._bindings.add(request.contents)
            if forwards(self._peer.program):
                self._surroundings.own_logins.proved(self._peer.pid, binding.session_id)
            return messages.SUCCESS
        if request.name == _QUERY:
            return messages.extension_response(_QUERY, b"".join(string(name.encode()) for name in _EXTENSIONS))
        return messages.EXTENSION_FAILURE

    def _origin(self) -> dict[str, object]:
        return {"forwarded": self._bindings.is_forwarded, "host": self._bindings.host}

"""Registrations of the token's user at servers, and what they are used for (R6 to R24). All of it needs the PIN."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from fob_device.components.equipment import Equipment
from fob_device.office.carrier import NotCarriedError
from fob_device.office.directory import DIRECTORY_AGE, MOMENT, Directory
from fob_device.office.progress import Told
from fob_device.office.registration import (
    Offered,
    PendingRegistration,
    begin_registration,
    fetch_template,
    pending_template,
    register,
)
from fob_device.office.session import LiveSession, open_session, say
from fob_device.office.store import OfficeStore, Registration
from fob_device.office.talker import Talker
from fob_protocol.cose.cbor import encode
from fob_protocol.noise.keys import Random
from fob_protocol.office.certificate import Usage
from fob_protocol.office.conversation import Speaker
from fob_protocol.office.entitlements import (
    Entitlements,
    EntitlementsAnswer,
    GetEntitlements,
    Use,
    Used,
    read_entitlements,
)
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.hashing import digest
from fob_protocol.office.message import Message, read
from fob_protocol.office.refusals import Refusal
from fob_protocol.office.registration import NAME, Template
from fob_protocol.office.retries import Pauses

TEMPLATE_WORDS: Final = "asking what it takes to register"
REGISTER_WORDS: Final = "registering"
SESSION_WORDS: Final = "opening a session"
USE_WORDS: Final = "asking"


class NotRegisteredError(Exception):
    """There is no registration at this server."""


@dataclass(frozen=True, slots=True)
class Computer:
    """For which computer something is asked: H of its public key. None: for the device itself."""

    digest: bytes | None


class Registering:
    """Methods raise what `Talker.hold` raises. `master_key` is what the PIN opens."""

    def __init__(
        self, store: OfficeStore, device: Equipment, talker: Talker, directory: Directory, random: Random
    ) -> None:
        self._store = store
        self._device = device
        self._talker = talker
        self._directory = directory
        self._random = random
        # By server; the keys of a session are in memory only.
        self._sessions: dict[str, LiveSession] = {}
        # Set when a server's entitlements name other components than before (X7).
        self.options_changed = False
        # Who asks again, as after the PC died, waits for what was asked before: two requests would replace each other.
        self._turn = asyncio.Lock()

    async def template(self, server: str) -> Template:
        """What a server asks for."""
        return (await self._offered(server)).template

    async def register(self, server: str, fields: Mapping[str, str], master_key: bytes) -> None:
        """Registered, and confirmed by a first session. The same fields again are the same request (R26).

        Raises FieldsError.
        """
        async with self._turn:
            await self._register(server, fields, master_key)

    async def use(
        self, server: str, computer: bytes, application: str, path: str, body: bytes, master_key: bytes
    ) -> Used:
        """A request to an application. Raises NotRegisteredError."""
        registration = self._store.registration(server)
        if registration is None:
            raise NotRegisteredError(server)
        message = Use(computer, application, path, body)
        return read(Used, await self._say(registration, Computer(computer), message, master_key))

    def forget_sessions(self) -> None:
        """The power is cut, or the user changed."""
        self._sessions.clear()

    async def _register(self, server: str, fields: Mapping[str, str], master_key: bytes) -> None:
        pending = self._store.pending_registration(server, master_key)
        if pending is None and await self._is_registered(server, fields, master_key):
            return
        if pending is None or pending.fields != dict(fields) or not self._holds(server, pending):
            offered = await self._offered(server)
            pending = begin_registration(offered, fields, self._device.signing_key, self._random)
            self._store.keep_pending(server, pending, master_key)
        registration = await self._agree(server, pending, master_key)
        self._sessions.pop(server, None)
        await self._session(registration, Computer(None), master_key)

    async def _is_registered(self, server: str, fields: Mapping[str, str], master_key: bytes) -> bool:
        """By this very request, which whoever asked has not heard: the office knows it, and says so again."""
        registration = self._store.registration(server)
        if registration is None or registration.fields != _digest(fields):
            return False
        self._sessions.pop(server, None)
        try:
            await self._session(registration, Computer(None), master_key)
        except RefusedError as error:
            if error.refusal is not Refusal.NOT_PROVED:
                raise
            return False
        return True

    async def _offered(self, server: str) -> Offered:
        certificate = self._talker.known.server(server, Usage.REGISTRATION, self._talker.now)
        speaker = Speaker(certificate, self._random)
        conversation = fetch_template(speaker, self._talker.known, self._talker.now, self._talker.learn)
        _, offered = await self._talker.hold(conversation, Told(TEMPLATE_WORDS), Pauses(self._random))
        return offered

    async def _agree(self, server: str, pending: PendingRegistration, master_key: bytes) -> Registration:
        trust = self._talker.known.now(self._talker.now)
        speaker = Speaker(trust.check(pending.certificate, server, Usage.REGISTRATION), self._random)
        conversation = register(speaker, pending)
        try:
            agreed = await self._talker.hold(conversation, Told(REGISTER_WORDS), Pauses(self._random))
        except RefusedError as error:
            if error.refusal is not Refusal.UNAVAILABLE:
                self._store.forget_pending(server)
            raise
        template = pending_template(pending)
        user_code = agreed.reply.user_code
        registration = Registration(
            server,
            template.title,
            template.application,
            pending.fields.get(NAME, ""),
            agreed.reply.access_path,
            user_code,
            _digest(pending.fields),
            self._store.wrapped_key(server, user_code, agreed.key, master_key),
        )
        self._store.keep_registration(registration)
        return registration

    async def _say(self, registration: Registration, computer: Computer, message: Message, master_key: bytes) -> bytes:
        """In a session that may be over at the office: then, as nothing was done, in another one."""
        open_one = self._sessions.get(registration.server)
        try:
            return await self._say_once(registration, computer, message, master_key)
        except RefusedError as error:
            if error.refusal is not Refusal.NO_SESSION:
                raise
        except NotCarriedError as error:
            if open_one is None or not error.is_unheard or not await self._is_revoked(open_one):
                raise
        return await self._say_once(registration, computer, message, master_key)

    async def _say_once(
        self, registration: Registration, computer: Computer, message: Message, master_key: bytes
    ) -> bytes:
        session = await self._session(registration, computer, master_key)
        try:
            return await self._say_in(registration.server, session, message)
        except RefusedError as error:
            if error.refusal is Refusal.NOT_ENTITLED:
                await self._hear_why(registration, session, computer)
            raise

    async def _hear_why(self, registration: Registration, session: LiveSession, computer: Computer) -> None:
        """What may be done now is another thing than what the device was told: it asks, and shows that from now on."""
        with suppress(NotCarriedError, OfficeError, RefusedError):
            await self._ask_entitlements(registration, session, computer)

    async def _is_revoked(self, session: LiveSession) -> bool:
        """Whether the keys that a session is held with have been revoked: they open nothing any more."""
        await self._directory.ask(Pauses(self._random))
        return self._talker.known.trust.is_revoked(session.speaker.server)

    async def _say_in(self, server: str, session: LiveSession, message: Message) -> bytes:
        """Whatever goes wrong, the next message is not the next number: the session is over."""
        whole = False
        try:
            octets = await self._talker.hold(say(session, message), Told(USE_WORDS), Pauses(self._random))
            whole = True
        except RefusedError as error:
            whole = error.refusal is Refusal.NOT_ENTITLED
            raise
        finally:
            if not whole and self._sessions.get(server) is session:
                del self._sessions[server]
        return octets

    async def _session(self, registration: Registration, computer: Computer, master_key: bytes) -> LiveSession:
        """A live one, in which the device was told what may be done from this computer (R21, R22)."""
        session = self._sessions.get(registration.server)
        is_open = session is not None and session.is_good(self._talker.now)
        await self._directory.refresh(Pauses(self._random), DIRECTORY_AGE if is_open else MOMENT)
        if session is None or not is_open or self._talker.known.trust.is_revoked(session.speaker.server):
            session = await self._open(registration, master_key)
        if computer.digest is None or computer.digest not in session.told_for:
            await self._ask_entitlements(registration, session, computer)
        return session

    async def _open(self, registration: Registration, master_key: bytes) -> LiveSession:
        server = registration.server
        certificate = self._talker.known.server(server, Usage.REGISTRATION, self._talker.now)
        key = self._store.key_of(registration, master_key)
        speaker = Speaker(certificate, self._random)
        conversation = open_session(speaker, registration.user_code, key, self._talker.now)
        session = await self._talker.hold(conversation, Told(SESSION_WORDS), Pauses(self._random))
        self._sessions[server] = session
        return session

    async def _ask_entitlements(self, registration: Registration, session: LiveSession, computer: Computer) -> None:
        held = self._store.registration(registration.server) or registration
        message = GetEntitlements(computer.digest, held.version)
        octets = await self._say_in(registration.server, session, message)
        new = read_entitlements(
            session.speaker.server,
            read(EntitlementsAnswer, octets).entitlements,
            user_code=held.user_code,
            device=self._device.key_id,
            held=held.version,
            time=self._talker.known.now(self._talker.now).time,
        )
        self._take(held, new)
        if computer.digest is not None:
            session.told_for.add(computer.digest)

    def _take(self, held: Registration, new: Entitlements) -> None:
        before = held.entitlements.components if held.entitlements else ()
        self._store.keep_entitlements(replace(held, entitlements=new))
        self.options_changed |= set(before) != set(new.components)

    def _holds(self, server: str, pending: PendingRegistration) -> bool:
        try:
            self._talker.known.now(self._talker.now).check(pending.certificate, server, Usage.REGISTRATION)
        except OfficeError:
            return False
        return True


def _digest(fields: Mapping[str, str]) -> bytes:
    return digest(encode([[name, text] for name, text in sorted(fields.items())]))

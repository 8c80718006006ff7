"""The emulated phone: its token, its keys, its person, and the sessions that are open."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fob_device.approval.desk import ApprovalDesk
from fob_device.approval.grants import Grants
from fob_device.approval.questions import Decider
from fob_device.bonds import Bonds
from fob_device.history.actor import Actor
from fob_device.history.history import History
from fob_device.history.revocation import revocation
from fob_device.line.command_state import Product
from fob_device.line.jobs import JobMemory
from fob_device.line.pairing_tries import PairingTries
from fob_device.line.session import DeviceSession
from fob_device.listeners import Listeners
from fob_device.memory import Memory
from fob_device.pairings import Pairings
from fob_device.security.back_office import BackOfficeDoor
from fob_device.security.manager import SecurityManager
from fob_device.settings import KeySetting, Settings
from fob_device.token.token import Token
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_GENERATION, EVENT_TOKEN
from fob_protocol.noise.keys import KeyPair, Random
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cko
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import TokenFlag
from fob_protocol.session.handshake import BOOT_SIZE, SESSION_SIZE, Greeting
from fob_protocol.session.responder import Responder

# Time for the answer to a farewell, and for asking again once.
FAREWELL = 1.0

# Time for telling a computer three times that it was unpaired here.
TELLING = 5.0


@dataclass(slots=True)
class OpenSession:
    """A session and the PC it belongs to."""

    pc_key: bytes
    session: DeviceSession
    manager: SecurityManager
    # The URL of the port that carries it.
    over: str


@dataclass(slots=True)
class Phone:
    """Everything that outlives a line."""

    memory: Memory
    decider: Decider
    random: Random
    wall_clock: Callable[[], float]
    boot: bytes = b""
    pairing_tries: PairingTries = field(default_factory=PairingTries)
    # Told the name of a computer that was paired.
    on_paired: list[Callable[[str], None]] = field(default_factory=list)
    # Told that pairing is open again (True), or closed after too many tries (False).
    on_pairing_open: list[Callable[[bool], None]] = field(default_factory=list)
    # Told the static key of a computer that was unpaired, when its session has ended.
    on_unpaired: list[Callable[[bytes], None]] = field(default_factory=list)
    # Told of every change of what the phone shows of itself: computers, sessions, grants, objects, settings.
    on_change: Listeners = field(default_factory=Listeners)
    # None: a phone that no factory made a device of a back office.
    office: BackOfficeDoor | None = None
    _sessions: list[OpenSession] = field(default_factory=list)
    _memories: dict[bytes, JobMemory] = field(default_factory=dict)
    # The block of the newest session that was offered, and of the newest when a computer was last unpaired.
    _newest_session: bytes = b""
    _parted_up_to: bytes = b""
    _desks: dict[bytes, ApprovalDesk] = field(default_factory=dict)
    _reopening: asyncio.TimerHandle | None = None
    _announced_generation: int = 0
    _announced_flags: int = 0

    def __post_init__(self) -> None:
        self.boot = self.random(BOOT_SIZE)
        # The highest bit is left out: counting on reaches no end.
        self._newest_session = bytes([self.random(1)[0] & 0x7F]) + self.random(SESSION_SIZE - 1)
        self._announced_generation = self.token.generation
        self._announced_flags = int(self.token_flags())

    @property
    def token(self) -> Token:
        """The keys and certificates."""
        return self.memory.token

    @property
    def identity(self) -> KeyPair:
        """What computers know this phone by."""
        return self.memory.identity

    @property
    def pairings(self) -> Pairings:
        """The computers that may open sessions."""
        return self.memory.pairings

    @property
    def bonds(self) -> Bonds:
        """Their radio bonds."""
        return self.memory.bonds

    @property
    def settings(self) -> Settings:
        """What the person chose."""
        return self.memory.settings

    @property
    def history(self) -> History:
        """What was done, and who said so."""
        return self.memory.history

    @property
    def sessions(self) -> Sequence[OpenSession]:
        """The open ones."""
        return tuple(self._sessions)

    def product(self) -> Product:
        """What command state tells anyone."""
        info = self.token.info()
        return Product(
            info.manufacturer,
            info.model,
            "{}.{}".format(*info.firmware_version),
            info.serial,
            info.label,
            int(self.token_flags()),
        )

    def greeting(self) -> Greeting:
        """The greeting of a new session, whose block is higher than that of every one before."""
        self._newest_session = (int.from_bytes(self._newest_session) + 1).to_bytes(SESSION_SIZE)
        return Greeting(self.boot, self._newest_session, self.token.generation, int(self.token_flags()))

    def token_flags(self) -> TokenFlag:
        """The token's flags, with the PIN pad if the device has one."""
        flags = self.token.info().flags
        return flags | TokenFlag.PROTECTED_AUTHENTICATION_PATH if self.decider.has_pin_pad else flags

    def is_paired(self, pc_key: bytes) -> bool:
        """True for a computer whose person and ours agreed."""
        return pc_key in self.pairings

    def pair(self, pc_key: bytes, name: str) -> None:
        """Store a computer, which begins with nothing granted. Raises PairingsFullError; CkrError when it cannot."""
        self._desks.pop(pc_key, None)
        self.pairings.add(pc_key, name, self.wall_clock())
        for tell in self.on_paired:
            tell(name)
        self.on_change()

    def unpair_computer(self, pc_key: bytes) -> None:
        """The person forgets a computer: what it asks is withdrawn, it is told, and soon its session ends.

        Raises CkrError, and then nothing has changed.
        """
        memory = self._forget(pc_key)
        sessions = [opened.session for opened in self._sessions if opened.pc_key == pc_key]
        for session in sessions:
            session.retire()
            asyncio.get_running_loop().call_later(TELLING, self._part_from, pc_key, memory, session)
        memory.stop()
        if not sessions:
            self._tell_unpaired(pc_key)

    def grants_of(self, pc_key: bytes) -> Grants | None:
        """What a computer's programs may do without asking; None when it never had a session since the start."""
        desk = self._desks.get(pc_key)
        return None if desk is None else desk.grants

    def revoke(self, pc_key: bytes, number: int) -> bool:
        """End a grant; False when there is none of this number."""
        grants = self.grants_of(pc_key)
        ended = [] if grants is None else [grant for grant in grants.active() if grant.number == number]
        for grant in ended:
            self.history.note(Actor(pc_key, self.pairings[pc_key].name).sign(revocation(grant)))
        return grants is not None and grants.revoke(number)

    def set_key_setting(self, handle: int, setting: KeySetting) -> None:
        """How often a key asks from now on; what it was allowed before is over.

        Raises CkrError, OBJECT_HANDLE_INVALID where there is no such private key; then nothing has changed.
        """
        view = self.token.find(handle)
        if view is None or view.attributes.get(Cka.CLASS) != Cko.PRIVATE_KEY:
            raise CkrError(Ckr.OBJECT_HANDLE_INVALID, f"there is no private key {handle}")
        self.settings.set_key(handle, setting)
        for desk in self._desks.values():
            desk.grants.revoke_key(handle)
        self.on_change()

    def unpair(self, pc_key: bytes, session: DeviceSession) -> None:
        """Forget a computer; its session ends when the answer to its farewell has gone out."""
        memory = self._forget(pc_key)
        asyncio.get_running_loop().call_later(FAREWELL, self._part_from, pc_key, memory, session)

    def is_pairing_open(self, now: float) -> bool:
        """Whether a computer may begin to pair now, by the person's word and after too many failures."""
        return self.decider.pairing_open and self.pairing_tries.are_open(now)

    def pairing_failed(self, now: float) -> None:
        """A pairing on whatever line came to nothing; after too many in a row there is none for a while."""
        self.pairing_tries.failed(now)
        if not self.pairing_tries.are_open(now) and self._reopening is None:
            seconds = self.pairing_tries.closed_until - now
            self._reopening = asyncio.get_running_loop().call_later(seconds, self._reopen_pairing)
            self._tell_pairing_open(False)

    def begin_session(
        self,
        pc_key: bytes,
        greeting: Greeting,
        responder: Responder,
        send: Callable[[bytes], None],
        clock: Callable[[], float],
        over: str = "",
    ) -> DeviceSession:
        """A session of a paired computer over a port; an older one of the same computer ends."""
        for opened in [opened for opened in self._sessions if opened.pc_key == pc_key]:
            self.end_session(opened.session)
        memory = self._memories.setdefault(pc_key, JobMemory(forgotten_up_to=self._parted_up_to))
        session = DeviceSession(responder, memory.begin(greeting.session, responder.pace), memory, send, clock)
        manager = SecurityManager(
            self.token,
            self.decider,
            pc_name=self.pairings[pc_key].name,
            shown_name=lambda: self._shown_name(pc_key),
            pc_key=pc_key,
            history=self.history,
            desk=self._desks.setdefault(pc_key, ApprovalDesk(clock, self.on_change)),
            announce=session.announce,
            office=self.office,
            slowly=self.memory.slowly,
            unpair=lambda: self.unpair(pc_key, session),
            changed=self.announce_generation,
            pins_changed=self.announce_pins,
        )
        session.attach(manager)
        self._sessions.append(OpenSession(pc_key, session, manager, over))
        if self.office is not None:
            self.office.session_began(pc_key)
        self.on_change()
        return session

    def _shown_name(self, pc_key: bytes) -> str:
        """Of a computer that may just have been unpaired: then nobody is asked any more."""
        return self.pairings.shown_name(pc_key) if pc_key in self.pairings else ""

    def _forget(self, pc_key: bytes) -> JobMemory:
        """A computer's pairing, bond and grants; what it still asks is withdrawn when its session ends."""
        self.pairings.remove(pc_key)
        self._desks.pop(pc_key, None)
        self._parted_up_to = self._newest_session
        self.on_change()
        return self._memories.pop(pc_key, JobMemory())

    def _part_from(self, pc_key: bytes, memory: JobMemory, session: DeviceSession) -> None:
        self.end_session(session)
        memory.stop()
        self._tell_unpaired(pc_key)

    def _reopen_pairing(self) -> None:
        self._reopening = None
        self._tell_pairing_open(True)

    def _tell_pairing_open(self, is_open: bool) -> None:
        for tell in self.on_pairing_open:
            tell(is_open)
        self.on_change()

    def _tell_unpaired(self, pc_key: bytes) -> None:
        if not self.is_paired(pc_key):
            for tell in self.on_unpaired:
                tell(pc_key)

    def end_session(self, session: DeviceSession) -> None:
        """The line hung up, or a newer session took over."""
        ended = [opened for opened in self._sessions if opened.session is session]
        self._sessions = [opened for opened in self._sessions if opened.session is not session]
        session.close()
        if self.office is not None:
            for opened in ended:
                self.office.session_ended(opened.pc_key)
        self.on_change()

    def lose_power(self) -> None:
        """What is not in the phone's file is gone: sessions, what they were asked to do, grants. Nobody is told."""
        if self._reopening is not None:
            self._reopening.cancel()
        if self.office is not None:
            self.office.lose_power()
        for opened in list(self._sessions):
            self.end_session(opened.session)
        for memory in self._memories.values():
            memory.stop()
        self._memories.clear()
        self._desks.clear()

    def announce(self, event: Event, pc_key: bytes | None = None) -> None:
        """Tell one computer, or all that have a session."""
        for opened in self._sessions:
            if pc_key in (None, opened.pc_key):
                opened.session.announce(event)

    def announce_generation(self, origin: SecurityManager | None = None) -> None:
        """Tell every computer but the one that made the change that the objects changed."""
        generation = self.token.generation
        if generation == self._announced_generation:
            return
        self._announced_generation = generation
        self.on_change()
        for opened in self._sessions:
            if not opened.session.is_run_by(origin):
                opened.session.announce(Event(EVENT_GENERATION, (generation,)))

    def announce_pins(self, origin: SecurityManager | None = None) -> None:
        """Tell every computer of its logins that ended, and all but the one that sent the PIN of changed counters."""
        flags = int(self.token_flags())
        is_news, self._announced_flags = flags != self._announced_flags, flags
        event = Event(EVENT_TOKEN, (flags,))
        if is_news:
            self.on_change()
        for opened in self._sessions:
            opened.manager.announce_ended_logins()
            if opened.session.is_run_by(origin):
                # The answer tells it, and what is sent again behind the answer must not tell otherwise.
                opened.session.correct(event)
            elif is_news:
                opened.session.announce(event)

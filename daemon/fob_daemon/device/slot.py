"""A device as Cryptoki's slot with its token: a stable id, present as long as anything is known of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from fob_daemon.cryptoki.interface import SlotInfo, TokenInfo
from fob_daemon.device.background import Background
from fob_daemon.device.cache_file import CacheFile
from fob_daemon.device.cache_sync import CacheSync
from fob_daemon.device.logins import LINGER, CallLater, Logins, call_later
from fob_daemon.device.object_cache import ObjectCache
from fob_daemon.device.remote_token import RemoteToken
from fob_daemon.device.timeouts import Timeouts
from fob_daemon.device.views import Page
from fob_daemon.link.interface import Link
from fob_protocol.at.answer import Event
from fob_protocol.catalogue import EVENT_GENERATION, EVENT_LOCKED, EVENT_TOKEN
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.pkcs11.flags import SlotFlag, TokenFlag
from fob_protocol.session.handshake import Greeting

_LOW: Final = {Cku.USER: TokenFlag.USER_PIN_COUNT_LOW, Cku.SO: TokenFlag.SO_PIN_COUNT_LOW}
_LOCKED: Final = {Cku.USER: TokenFlag.USER_PIN_LOCKED, Cku.SO: TokenFlag.SO_PIN_LOCKED}
_COUNTERS: Final = {
    Cku.USER: _LOW[Cku.USER] | TokenFlag.USER_PIN_FINAL_TRY | _LOCKED[Cku.USER],
    Cku.SO: _LOW[Cku.SO] | TokenFlag.SO_PIN_FINAL_TRY | _LOCKED[Cku.SO],
}

T = TypeVar("T")

# Before a private key is used: may this computer's programs use one? Raises CkrError.
Admit = Callable[[], Awaitable[None]]


async def admit_all() -> None:
    """Nobody says no."""


class Slot:
    """A slot for the time that its device is paired; with the token as it was last seen while the device is away."""

    def __init__(
        self,
        slot_id: int,
        name: str,
        remote: RemoteToken,
        cache: ObjectCache,
        logins: Logins,
        *,
        sync: CacheSync,
        background: Background,
        admit: Admit,
    ) -> None:
        self.id = slot_id
        self.name = name
        self.remote = remote
        self.cache = cache
        self.logins = logins
        self.background = background
        self.admit = admit
        self._sync = sync
        self._on_presence: set[Callable[[], None]] = set()
        self._presence = self._present()
        cache.watch(self._note_presence)
        remote.link.subscribe(self._on_event)
        remote.link.on_session(self._on_session)
        if remote.link.greeting is not None:
            sync.greet(remote.link.greeting)

    @property
    def has_token(self) -> bool:
        """True when there is something to show, also while the device is away."""
        return self.cache.token is not None

    def info(self) -> SlotInfo:
        """CK_SLOT_INFO. A removable device: some clients forget a fixed one that is away when they start."""
        flags = SlotFlag.REMOVABLE_DEVICE | SlotFlag.HW_SLOT
        token = self.cache.token
        if token is None:
            return SlotInfo(self.name, "Fob", flags, (0, 0), (0, 0))
        return SlotInfo(
            self.name,
            token.manufacturer,
            flags | SlotFlag.TOKEN_PRESENT,
            token.hardware_version,
            token.firmware_version,
        )

    def token_info(self, session_count: int, rw_session_count: int) -> TokenInfo:
        """CK_TOKEN_INFO with an application's session counts. Raises CkrError TOKEN_NOT_PRESENT."""
        token = self.cache.token
        if token is None:
            raise CkrError(Ckr.TOKEN_NOT_PRESENT, f"nothing is known of {self.name} yet")
        return TokenInfo(
            *(token.label, token.manufacturer, token.model, token.serial, token.flags),
            *(session_count, rw_session_count, token.min_pin, token.max_pin),
            *(token.hardware_version, token.firmware_version),
        )

    def apply(self, page: Page) -> None:
        """An answer's page goes into the cache; what it leaves open is asked for in the background."""
        if not self.cache.apply(page):
            self._sync.request()

    async def init_token(self, so_pin: bytes | None, label: bytes) -> None:
        """C_InitToken: objects and logins are gone. Raises CkrError."""
        page = await self.checking_pin(Cku.SO, lambda: self.remote.init_token(so_pin, label))
        for user in (Cku.USER, Cku.SO):
            self.logins.end(user)
        self.cache.set_label(label.decode("utf-8", "replace"))
        self.apply(page)

    async def checking_pin(self, user: Cku, check: Callable[[], Awaitable[T]]) -> T:
        """What `check` gives, a request with a PIN of `user`; the token's flags follow it without another round trip.

        Right PINs the device does not announce. Wrong ones it does, before it answers; should that be lost on a noisy
        line, what the answer itself says holds until it comes again. Raises CkrError.
        """
        try:
            result = await check()
        except CkrError as error:
            if error.ckr is Ckr.PIN_LOCKED:
                self._set_counters(user, _LOCKED[user])
            elif error.ckr is Ckr.PIN_INCORRECT and not self._counters(user):
                self._set_counters(user, _LOW[user])
            raise
        self._set_counters(user, TokenFlag(0))
        return result

    def watch_presence(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when the device or its token comes or goes; what comes back ends that."""
        self._on_presence.add(listener)
        return lambda: self._on_presence.discard(listener)

    async def idle(self) -> None:
        """Wait until no work of this slot is under way that nobody waits for."""
        await self.background.idle()

    async def close(self) -> None:
        """The device was unpaired or the daemon ends."""
        await self.background.close()

    def _on_session(self, greeting: Greeting | None) -> None:
        self._note_presence()
        if greeting is not None:
            self._sync.greet(greeting)

    def _counters(self, user: Cku) -> TokenFlag:
        """How the PIN of `user` stands."""
        return self.cache.token.flags & _COUNTERS[user] if self.cache.token else TokenFlag(0)

    def _set_counters(self, user: Cku, flags: TokenFlag) -> None:
        if self.cache.token is not None:
            self.cache.set_flags(self.cache.token.flags & ~_COUNTERS[user] | flags)

    def _note_presence(self) -> None:
        """A device that was never here is there some moments before its token is known: each is news."""
        before, self._presence = self._presence, self._present()
        if self._presence != before:
            for listener in tuple(self._on_presence):
                listener()

    def _present(self) -> tuple[bool, bool]:
        """The device, the token."""
        return self.remote.link.greeting is not None, self.has_token

    def _on_event(self, event: Event) -> None:
        """An event that does not parse is no hint at all; the next sync finds out."""
        match event.name, event.values:
            case name, (int(generation),) if name == EVENT_GENERATION and generation != self.cache.generation:
                self._sync.request()
            case name, (int(flags),) if name == EVENT_TOKEN:
                self.cache.set_flags(flags)
            case name, (int(login),) if name == EVENT_LOCKED:
                self.logins.end_id(login)


def open_slot(
    slot_id: int,
    name: str,
    link: Link,
    *,
    cache_path: Path | None = None,
    timeouts: Timeouts | None = None,
    linger: float = LINGER,
    later: CallLater = call_later,
    admit: Admit = admit_all,
) -> Slot:
    """The slot of a link, with what was stored of its token. Needs a running loop once the link has a session."""
    background = Background()
    remote = RemoteToken(link, timeouts)
    cache = ObjectCache()
    file = None if cache_path is None else CacheFile(cache_path)
    sync = CacheSync(remote, cache, file, background)
    logins = Logins(remote, background, linger=linger, later=later)
    return Slot(slot_id, name, remote, cache, logins, sync=sync, background=background, admit=admit)

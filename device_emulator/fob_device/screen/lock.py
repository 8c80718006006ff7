"""The phone's lock: what waits for it, what the person typed, and when it locks itself."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fob_device.approval.asking import Asking
from fob_device.listeners import Listener
from fob_device.pad.tries import NO_PIN, blocked_words, tries_words
from fob_device.pairings import NameOf
from fob_device.screen.typed import BUSY, DONE, Outcome, Typed, judged
from fob_device.token.limits import USER_TRIES
from fob_protocol.names import plain_name
from fob_protocol.pkcs11.ckr import Ckr
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.errors import CkrError

UNLOCK: Final = "unlock the phone"


class Lock:
    """Locked at first. Unlocked it holds the user's master key, in memory and in no `repr`.

    `open_master` looks at a PIN (slow, off the loop); `tries_left` are those of the user's PIN, None without a PIN.
    """

    def __init__(
        self,
        open_master: Callable[[bytes], Awaitable[bytes]],
        tries_left: Callable[[], int | None],
        clock: Callable[[], float],
        changed: Listener,
        auto_lock: int | None,
        hidden: Callable[[], Sequence[str]] = tuple,
        name_of: NameOf = lambda key, name: plain_name(name),
    ) -> None:
        """`hidden`: the computers of the requests whose questions a locked phone does not show, as `name_of` has it."""
        self._hidden = hidden
        self._name_of = name_of
        self._open_master = open_master
        self._tries_left = tries_left
        self._clock = clock
        self._changed = changed
        self._auto_lock = auto_lock
        self._master_key: bytes | None = None
        self._said = ""
        self._is_checking = False
        self._last_tap = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._waiting: dict[asyncio.Future[None], Asking] = {}
        self._logins: set[asyncio.Future[None]] = set()

    @property
    def is_locked(self) -> bool:
        """True until the user's PIN is typed."""
        return self._master_key is None

    @property
    def master_key(self) -> bytes | None:
        """The user's, while unlocked."""
        return self._master_key

    @property
    def tries_left(self) -> int:
        """Wrong PINs that are left, 0 when the PIN is blocked or there is none."""
        return self._tries_left() or 0

    @property
    def is_blocked(self) -> bool:
        """True when no PIN helps any more."""
        return self.tries_left == 0

    @property
    def has_pin(self) -> bool:
        """False after the token was made anew, until the security officer sets a PIN."""
        return self._tries_left() is not None

    @property
    def is_checking(self) -> bool:
        """True while a PIN is being looked at."""
        return self._is_checking

    @property
    def words(self) -> str:
        """What the pad says: to the last PIN, and how many tries are left; nothing when all is well."""
        if self.is_blocked:
            return NO_PIN if self._tries_left() is None else blocked_words(Cku.USER)
        if self._said:
            return self._said
        return "" if self.tries_left == USER_TRIES else tries_words(self.tries_left)

    @property
    def waiting(self) -> int:
        """How many requests wait for the unlocking, those among them that were asked before the phone was locked."""
        return len(self._names())

    @property
    def waiting_words(self) -> str:
        """`1 login and 3 requests from me@pc wait`, nothing when none does."""
        if not self.waiting:
            return ""
        names = sorted(set(self._names()))
        from_whom = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
        counts = {"login": len(self._logins), "request": self.waiting - len(self._logins)}
        what = " and ".join(f"{count} {noun}{'s' if count > 1 else ''}" for noun, count in counts.items() if count)
        return f"{what} from {from_whom} {'waits' if self.waiting == 1 else 'wait'}"

    @property
    def auto_lock(self) -> int | None:
        """Seconds without a tap after which the phone locks itself; None: never."""
        return self._auto_lock

    def set_auto_lock(self, seconds: int | None) -> None:
        """From the last tap on."""
        self._auto_lock = seconds
        self._wind()

    async def unlock(self, pin: bytes) -> Typed:
        """The person typed the user's PIN. One is looked at at a time: a tap too many costs no try."""
        if self._is_checking:
            return BUSY
        self._is_checking = True
        self._changed()
        try:
            self._master_key = await self._open_master(pin)
        except CkrError as error:
            return self._refused(error)
        finally:
            self._is_checking = False
            self._changed()
        self._said = ""
        self.touch()
        self._let_go(None)
        return DONE

    def lock(self) -> None:
        """Forget the master key; what waits and what is asked goes on waiting."""
        self._master_key, self._said = None, ""
        self._stop_timer()
        self._changed()

    def touch(self) -> None:
        """The person tapped: the time until the phone locks itself begins anew."""
        self._last_tap = self._clock()
        self._wind()

    async def opened(self, asking: Asking, *, is_login: bool = False) -> bytes:
        """The user's master key, as soon as the phone is unlocked; the computer hears when that needs the person.

        `is_login`: at the computer any number of requests may wait behind it, so that it is counted by itself.
        Raises CkrError PIN_LOCKED or USER_PIN_NOT_INITIALIZED when nobody can unlock it.
        """
        while self._master_key is None:
            self._require_tries()
            opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting[opened] = asking
            if is_login:
                self._logins.add(opened)
            self._changed()
            asking.say(f"{UNLOCK}: {asking.what}")
            try:
                await opened
            finally:
                self._waiting.pop(opened, None)
                self._logins.discard(opened)
                self._changed()
        return self._master_key

    def _names(self) -> list[str]:
        waiting = (self._name_of(asking.pc_key, asking.pc_name) for asking in self._waiting.values())
        return [*waiting, *self._hidden()]

    def _require_tries(self) -> None:
        if self._tries_left() is None:
            raise CkrError(Ckr.USER_PIN_NOT_INITIALIZED, "the phone is locked, and has no PIN")
        if self.is_blocked:
            raise _blocked()

    def _refused(self, error: CkrError) -> Typed:
        typed = judged(error, Cku.USER, self.tries_left)
        self._said = typed.words
        if typed.outcome is Outcome.BLOCKED:
            self._let_go(_blocked())
        return typed

    def _let_go(self, refusal: CkrError | None) -> None:
        for waiting in self._waiting:
            if waiting.done():
                continue
            if refusal is None:
                waiting.set_result(None)
            else:
                waiting.set_exception(refusal)

    def _wind(self) -> None:
        self._stop_timer()
        if self._auto_lock is not None and not self.is_locked:
            left = max(self._last_tap + self._auto_lock - self._clock(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(left, self.lock)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _blocked() -> CkrError:
    return CkrError(Ckr.PIN_LOCKED, "the phone is locked, and its PIN is blocked")

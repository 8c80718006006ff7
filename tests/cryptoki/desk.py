"""A phone with a real token, its link, and the engine with one slot: what the engine's tests work at."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeVar

from fob_daemon.cryptoki.application import FobApplication
from fob_daemon.cryptoki.engine import Engine
from fob_daemon.cryptoki.login_state import Identify, unidentified
from fob_daemon.device.slot import Slot, open_slot
from fob_daemon.device.timeouts import Timeouts
from fob_device.approval.asking import Asking
from fob_device.approval.questions import YES, Decider, Decision, Prompt, Question
from fob_device.approval.rules import Rules
from fob_device.pad.entry import PinEntry
from fob_device.pad.pin_pad import Check
from fob_protocol.pkcs11.attributes import Attributes, AttributeValue
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Cko, Cku
from fob_protocol.pkcs11.flags import SessionFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.loopback_link import LoopbackLink
from support.no_pin_pad import NoPinPad
from support.token_bench import ED25519, EDWARDS_PAIR, P256, RSA_PAIR, USER_PIN, Bench, make_ec

T = TypeVar("T")

SLOT: Final = 7
RO: Final = int(SessionFlag.SERIAL_SESSION)
RW: Final = RO | int(SessionFlag.RW_SESSION)
ROOM: Final = 4096

LOGIN: Final = "+C_LOGIN"
SIGN: Final = "+C_SIGN"


class Thinker(NoPinPad):
    """A person who thinks about the key `ec` until the test lets them answer; a PIN pad when there is a `typed_pin`."""

    pairing_open = True

    def __init__(self, typed_pin: bytes | None = None) -> None:
        self.answered = asyncio.Event()
        self._typed_pin = typed_pin

    @property
    def has_pin_pad(self) -> bool:
        """When somebody types on it."""
        return self._typed_pin is not None

    def is_silent(self, question: Question) -> bool:
        """Only `ec` is asked about."""
        return question.key_label != "ec"

    async def decide(self, prompt: Prompt) -> Decision:
        """Yes, sooner or later."""
        if not self.is_silent(prompt.question):
            await self.answered.wait()
        return YES

    async def log_in(self, entry: PinEntry, check: Check[bytes], asking: Asking) -> bytes | None:
        """What is typed."""
        return await self.enter(entry, check, asking)

    async def enter(self, entry: PinEntry, check: Check[T], asking: Asking) -> T | None:
        """What is typed, once."""
        return None if self._typed_pin is None else await check(self._typed_pin)

    async def compare(self, code: str) -> bool:
        """Yes."""
        return True


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the loop has nothing else to tell
            await asyncio.sleep(0)


@dataclass
class Timers:
    """Timers that ring when the test says so."""

    waiting: list["ManualTimer"] = field(default_factory=list)

    def later(self, seconds: float, work: Callable[[], None]) -> "ManualTimer":
        """As `call_later`."""
        timer = ManualTimer(self, seconds, work)
        self.waiting.append(timer)
        return timer

    def ring(self) -> None:
        """The time of all of them is over."""
        for timer in tuple(self.waiting):
            timer.cancel()
            timer.work()


@dataclass(eq=False)
class ManualTimer:
    """One timer."""

    timers: Timers
    seconds: float
    work: Callable[[], None]

    def cancel(self) -> None:
        """It rings no more."""
        if self in self.timers.waiting:
            self.timers.waiting.remove(self)


@dataclass
class Desk:
    """Everything in one process. The three keys are called rsa, ec and ed; each has its name as CKA_ID."""

    bench: Bench
    link: LoopbackLink
    timers: Timers
    cache_path: Path
    slot: Slot
    engine: Engine

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, folder: Path, decider: Decider | None = None, timeouts: Timeouts | None = None
    ) -> AsyncIterator["Desk"]:
        """A connected phone with three keys; the cache is warm."""
        bench = Bench(folder / "token.db")
        bench.token.close()
        (folder / "token.db").write_bytes(token_with_three_keys())
        bench.restart()
        link = LoopbackLink(bench.token, decider or Rules())
        timers = Timers()
        path = folder / "cache.json"
        slot = open_slot(SLOT, "phone", link, cache_path=path, timeouts=timeouts, later=timers.later)
        desk = cls(bench, link, timers, path, slot, Engine([slot], random=bench.random))
        link.connect()
        await slot.idle()
        link.crossed.clear()
        link.octets = 0
        try:
            yield desk
        finally:
            await desk.close()

    async def close(self) -> None:
        """The daemon ends, and then the phone."""
        self.engine.close_all()
        await self.slot.close()
        self.bench.token.close()

    def restart_phone(self) -> None:
        """Switch the phone off and on; the link finds it again."""
        self.link.disconnect()
        self.link.token = self.bench.restart()
        self.link.connect()

    async def restart_daemon(self) -> None:
        """A new slot and a new engine on the same link and the same files."""
        self.engine.close_all()
        await self.slot.close()
        self.slot = open_slot(SLOT, "phone", self.link, cache_path=self.cache_path, later=self.timers.later)
        self.engine = Engine([self.slot], random=self.bench.random)
        await self.slot.idle()

    def client(self, identify: Identify = unidentified) -> "Client":
        """A program that has called C_Initialize; `identify` says who it is."""
        return Client(self.engine.open_application("test", identify=identify))

    @contextmanager
    def crossing(self, **commands: int) -> Iterator[None]:
        """Exactly these round trips happen in the block; names without `+`."""
        before = self.link.crossed.copy()
        yield
        crossed = self.link.crossed - before
        assert dict(crossed) == {f"+{name}": count for name, count in commands.items()}


class Client:
    """One program, and what most programs do first."""

    def __init__(self, application: FobApplication) -> None:
        self.application = application

    def session(self, flags: int = RW) -> int:
        """C_OpenSession."""
        return self.application.open_session(SLOT, flags)

    async def user_session(self, flags: int = RW) -> int:
        """C_OpenSession, and C_Login when it is the first."""
        session = self.session(flags)
        await self.application.login(session, Cku.USER, USER_PIN)
        return session

    def find(self, session: int, **template: AttributeValue) -> list[int]:
        """The three calls of a search; `template` names attributes."""
        self.application.find_objects_init(session, {Cka[name]: value for name, value in template.items()})
        found: list[int] = []
        while more := self.application.find_objects(session, 2):
            found += more
        self.application.find_objects_final(session)
        return found

    def key(self, session: int, name: str, cls: Cko = Cko.PRIVATE_KEY) -> int:
        """One of the three keys."""
        (handle,) = self.find(session, ID=name.encode(), CLASS=int(cls))
        return handle

    def public(self, session: int, name: str) -> int:
        """The public half of one of the three keys."""
        return self.key(session, name, Cko.PUBLIC_KEY)


@cache
def token_with_three_keys() -> bytes:
    """A token file with the keys that were on the phone before it was paired."""
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "token.db")
        _make_three_keys(bench)
        bench.token.close()
        return bench.path.read_bytes()


def _make_three_keys(bench: Bench) -> None:
    session = bench.user()
    pairs: Sequence[tuple[Mechanism, bytes, Attributes]] = (
        (RSA_PAIR, b"rsa", {Cka.MODULUS_BITS: 2048}),
        (EDWARDS_PAIR, b"ed", {Cka.EC_PARAMS: ED25519}),
    )
    for mechanism, name, parameters in pairs:
        both: Attributes = {Cka.TOKEN: True, Cka.ID: name, Cka.LABEL: name}
        session.generate_key_pair(mechanism, both | parameters, both)
    _, private = make_ec(session, P256, ID=b"ec", LABEL=b"ec")
    public_handle = private.handle - 1
    session.set_attributes(public_handle, {Cka.ID: b"ec", Cka.LABEL: b"ec"})
    session.close()

"""A phone with a screen in this process: its page is served, its person taps by HTTP, and the test asks."""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final, TypeVar

from aiohttp import ClientResponse, ClientSession

from fob_device.approval.askers import Asker
from fob_device.approval.asking import Asking
from fob_device.approval.desk import ApprovalDesk
from fob_device.approval.questions import Decision, Operation, Prompt, Question
from fob_device.line.phone_lines import PhoneLines
from fob_device.memory import Memory
from fob_device.pad.entry import PinEntry
from fob_device.phone import Phone
from fob_device.ports.url import Opened, Port
from fob_device.screen.person import ScreenPerson
from fob_device.screen.web.serving import Place, serving_screen
from fob_device.screen.web.shown import Shown
from fob_device.token.session import TokenSession
from fob_device.workbench.workbench import Workbench
from fob_protocol.caller import Caller, Purpose
from fob_protocol.limits import QUESTION_TIME
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.constants import Cku
from support.token_bench import CHEAP, EC_PAIR, P256, ROOT_KEY, SO_PIN

PIN: Final = "123456"
PC_KEY: Final = bytes(range(32, 64))
NOON: Final = 1_780_920_000.0

LOGIN: Final = Caller(("ssh", "git", "zsh"), Purpose.LOGIN, host="github.com")
COMMIT: Final = Caller(("ssh-keygen", "git", "zsh"), Purpose.SIGNATURE, namespace="git")
FORWARDED: Final = Caller(("ssh", "zsh"), Purpose.LOGIN, host="build.example.org", is_forwarded=True)


async def _quiet_port(lines: PhoneLines, opened: Opened) -> None:
    """A port where nobody comes."""
    opened()
    await asyncio.Event().wait()


@dataclass(slots=True)
class Scene:
    """`http` sends what a browser on the page would. `refused`: requests that only the test's own headers make odd."""

    folder: Path
    bench: Workbench
    shown: Shown
    http: ClientSession
    address: str = ""
    key: int = 0
    asked: list[asyncio.Task[Decision]] = field(default_factory=list)
    others: list[asyncio.Task[bytes | None]] = field(default_factory=list)

    @property
    def phone(self) -> Phone:
        """The phone, which is on."""
        assert self.bench.phone is not None
        return self.bench.phone

    @property
    def person(self) -> ScreenPerson:
        """Whoever looks at the page."""
        assert self.shown.running is not None
        return self.shown.running.person

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:1234`."""
        return self.address[: self.address.index("/", len("http://"))]

    @contextlib.contextmanager
    def switched_on(self) -> Iterator[Phone]:
        """The phone from its file."""
        memory = Memory.open(
            self.folder / "token.db", root_key=ROOT_KEY, random=random.Random(7).randbytes, clock=self.bench.clock
        )
        person = ScreenPerson(memory, random.randbytes)
        phone = Phone(memory=memory, decider=person, random=random.randbytes, wall_clock=self.bench.clock)
        person.belong_to(phone)
        try:
            with self.shown.switched_on(phone, person):
                yield phone
        finally:
            memory.close()

    def desk(self) -> ApprovalDesk:
        """Where the paired computer's programs stand, as if it had a session."""
        loop = asyncio.get_running_loop()
        return self.phone._desks.setdefault(PC_KEY, ApprovalDesk(loop.time, self.phone.on_change))

    async def get(self, path: str = "", **headers: str) -> "Seen":
        """Look at a page."""
        async with self.http.get(self.address + path, headers=headers) as response:
            return await Seen.of(response)

    async def post(self, path: str, fields: Mapping[str, str] | None = None, **headers: str) -> "Seen":
        """Tap, and see what comes then."""
        headers = {"Origin": self.origin} | headers
        async with self.http.post(self.address + path, data=fields or {}, headers=headers) as response:
            return await Seen.of(response)

    async def unlock(self) -> "Seen":
        """With the right PIN."""
        return await self.post("unlock", {"pin": PIN})

    async def ask(
        self,
        caller: Caller = LOGIN,
        label: str = "work",
        pc: str = "me@pc",
        asker: Asker | None = None,
        pc_key: bytes = b"",
    ) -> str:
        """A question comes up; its sheet's id. The answer will be the last of `asked`."""
        prompt = Prompt(Question(Operation.SIGN, label, pc, caller, self.key, pc_key))
        prompt.askers.join(asker or Asker())
        prompt.until = asyncio.get_running_loop().time() + QUESTION_TIME
        before = {sheet.id for sheet in self.person.sheets}
        self.asked.append(asyncio.ensure_future(self.person.decide(prompt)))
        await asyncio.sleep(0)
        [new] = {sheet.id for sheet in self.person.sheets} - before
        return new

    async def ask_pin(self, entry: PinEntry) -> "asyncio.Task[bytes | None]":
        """A PIN is due; what comes of it, when somebody has typed."""

        async def check(pin: bytes) -> bytes:
            if pin != PIN.encode():
                self.phone.token.open_master(entry.user, pin)
            return pin

        until = asyncio.get_running_loop().time() + QUESTION_TIME
        asking = Asking(entry.pc_name, entry.what(), until, lambda words: None)
        typed = asyncio.ensure_future(self.person.enter(entry, check, asking))
        self.others.append(typed)
        await asyncio.sleep(0)
        return typed


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer: where it ended, and its text."""

    status: int
    path: str
    text: str
    headers: Mapping[str, str]
    redirects: int

    @classmethod
    async def of(cls, response: ClientResponse) -> "Seen":
        """All of a response."""
        path = re.sub(r"^/[^/]+/", "", response.url.raw_path_qs)
        return cls(response.status, path, await response.text(), response.headers, len(response.history))

    @property
    def words(self) -> str:
        """What a person reads, in one line."""
        return words_of(self.text)


def words_of(page: str) -> str:
    """What a person reads of a page, in one line."""
    reader = _Words()
    reader.feed(page)
    return " ".join(" ".join(reader.words).split())


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


SceneT = TypeVar("SceneT", bound=Scene)


@contextlib.asynccontextmanager
async def screen_scene(folder: Path, make: type[SceneT], now: float = NOON) -> AsyncIterator[SceneT]:
    """A locked phone with a key and a computer, its page served; `make` makes its scene, `now` is its time."""
    Memory.create(
        folder / "token.db", root_key=ROOT_KEY, label="Test phone", so_pin=SO_PIN, user_pin=PIN.encode(),
        random=random.Random(7).randbytes, clock=lambda: now, kdf=CHEAP,
    ).close()  # fmt: skip
    bench = Workbench([Port("pty:/nowhere", _quiet_port, "ls")], lambda: now)
    shown = Shown(bench)
    async with ClientSession() as http, serving_screen(shown, Place("127.0.0.1"), random.randbytes) as address:
        scene = make(folder, bench, shown, http, address)
        running = asyncio.ensure_future(bench.run(scene.switched_on))
        await bench.opened()
        scene.key = make_key(scene.phone.token.open_session(), "work")
        scene.phone.pair(PC_KEY, "me@pc")
        try:
            yield scene
        finally:
            tasks: list[asyncio.Future[Any]] = [*scene.asked, *scene.others, running]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def make_key(session: TokenSession, label: str) -> int:
    """A P-256 key on the token; its handle."""
    session.login(Cku.USER, PIN.encode())
    _, private = session.generate_key_pair(
        EC_PAIR, {Cka.TOKEN: True, Cka.EC_PARAMS: P256}, {Cka.TOKEN: True, Cka.LABEL: label.encode()}
    )
    session.close()
    return private.handle

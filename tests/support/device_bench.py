"""A device with its back office's side and nothing else: no line, no person; questions go straight to an office."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from wasmtime import wat2wasm

from fob_device.components.machine import Machine
from fob_device.components.storage import FolderStorage
from fob_device.integrity.program import Program
from fob_device.memory import Memory
from fob_device.office.back_office import BackOffice, Parts
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.factory import factory_record, make_equipment, save_equipment
from fob_device.office.options import Options
from fob_device.office.progress import Told
from fob_device.office.store import OfficeStore
from fob_protocol.at.answer import Event
from fob_protocol.office.component import Kind
from fob_protocol.office.configuration import Variant
from fob_protocol.office.release import Dependency
from support.office_signers import HARDWARE, Released, public
from support.reference_office import ReferenceOffice
from support.virtual_loop import run_virtually
from support.world import CHEAP, ROOT_KEY, SO_PIN, USER_PIN

T = TypeVar("T")

SERIAL = "FM-0001"
# What the PIN opens; benches have no PIN pad.
MASTER = bytes(range(32, 64))
DATA = b"1 letter 95\n" * 1000
# Says its values again.
ECHO = """(module
  (memory (export "memory") 1)
  (func (export "fob_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "fob_call") (param $command i32) (param $at i32) (param $size i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get $at)) (i64.const 32)) (i64.extend_i32_u (local.get $size))))
  (func (export "fob_start") (result i32) (i32.const %d)))"""
LOOP = """(module
  (memory (export "memory") 1)
  (func (export "fob_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "fob_call") (param i32 i32 i32) (result i64) (loop $for_ever (br $for_ever)) (i64.const 0)))"""


def echo_module(self_test: int = 0) -> bytes:
    """A module whose self test ends with a number: 0 is well."""
    return bytes(wat2wasm(ECHO % self_test))


def releases(office: ReferenceOffice) -> list[Released]:
    """A table, a module that needs it, and one that never ends."""
    signers = office.signers
    table = signers.release("table", DATA, kind=Kind.DATA)
    echo = signers.release(
        "echo", echo_module(), commands=("XECHO",), dependencies=(Dependency("table", (1, 0, 0)),)
    )  # fmt: skip
    return [table, echo, signers.release("looping", bytes(wat2wasm(LOOP)), commands=("XLOOP",))]


class Post:
    """A Carrier. `cut`: the power goes at this question (from 1), before or after the office has answered it."""

    def __init__(self, office: ReferenceOffice) -> None:
        self.office = office
        self.carried = 0
        self.cut: tuple[int, bool] | None = None
        self.is_cut = asyncio.Event()
        # Each takes one question and says that it was not carried.
        self.failures: list[NotCarriedError] = []
        self.is_away = False
        self.closed = False
        self.sealed: list[bytes] = []

    async def carry(self, service: str, question: bytes, told: Told) -> bytes:
        self.carried += 1
        self.sealed.append(question)
        if self.is_away:
            raise NotCarriedError(NotCarried.UNREACHABLE)
        if self.failures:
            raise self.failures.pop(0)
        cut = self.cut is not None and self.cut[0] == self.carried
        if cut and self.cut == (self.carried, False):
            await self._end()
        try:
            answer = self.office.answer(service, question)
        except ValueError:
            raise NotCarriedError(NotCarried.NOT_ANSWERED) from None
        if cut:
            await self._end()
        return answer

    def judged(self, *, is_answer: bool) -> None:
        """There is nobody else to ask."""

    def rest(self) -> None:
        """Nobody waits."""

    async def close(self) -> None:
        self.closed = True

    async def _end(self) -> None:
        self.is_cut.set()
        await asyncio.Event().wait()


class DeviceBench:
    """Use in a virtual loop. `office` is what the device was made for."""

    def __init__(
        self, folder: Path, office: ReferenceOffice, variant: Variant = Variant.SEALED_IDENTIFIER, made: bool = True
    ) -> None:
        self.office = office
        self.random = random.Random(3)
        self.folder = folder
        self.events: list[Event] = []
        self.cut: tuple[int, bool] | None = None
        # Seconds that its clock is behind the office's.
        self.behind = 0
        # Its own program, if that is measured.
        self.own: Program | None = None
        Memory.create(
            folder / "token.db", root_key=ROOT_KEY, label="Bench", so_pin=SO_PIN, user_pin=USER_PIN,
            random=self.random.randbytes, clock=lambda: float(office.now), kdf=CHEAP,
        ).close()  # fmt: skip
        (folder / "components").mkdir()
        self.memory = self._open()
        issuer, certificate = public(office.signers.issuer), office.signers.configuration.signed
        self.device = make_equipment(issuer, certificate, SERIAL, HARDWARE, self.random.randbytes)
        if made:
            save_equipment(self.memory.office_items, self.device, factory_record(self.device, "Meter"), variant)
        office.device = self.device
        self._running: asyncio.Task[None] | None = None

    @property
    def store(self) -> OfficeStore:
        return self.back_office.store

    def switch_on(self) -> None:
        """It goes on by itself from now on."""
        self.post = Post(self.office)
        self.post.cut = self.cut
        options = Options()
        self.back_office = BackOffice(
            Parts(
                OfficeStore(self.memory.office_items, self.device.issuer), self.device,
                Machine(FolderStorage(self.folder / "components"), self.device, options), options, self.post,
                lambda: float(self.office.now - self.behind), self.random.randbytes, self.events.append,
                own=self.own, passed=lambda: float(self.office.now),
            )
        )  # fmt: skip
        self._running = asyncio.get_running_loop().create_task(self.back_office.run())

    async def switch_off(self) -> None:
        """All that is not on its disk is gone."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self.back_office.lose_power()
            self._running = None
        self.memory.token.close()

    async def power_cut(self) -> None:
        await self.switch_off()
        self.memory = self._open()
        self.switch_on()

    def background(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Somebody waits for it."""
        return asyncio.get_running_loop().create_task(work)

    async def until(self, condition: Callable[[], bool], seconds: float = 100_000.0) -> None:
        """Let time pass until something holds."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.1)

    async def at_rest(self) -> None:
        """Until nothing goes on by itself."""
        await self.until(lambda: self.is_at_rest)

    @property
    def is_at_rest(self) -> bool:
        record = self.back_office.machine.boot.record
        return (
            self.back_office.started.is_set()
            and self.store.is_configured()
            and record.ended is None
            and not self.back_office.words
        )

    @property
    def installed(self) -> list[str]:
        """What runs, in order of start."""
        return [component.release.id for component in self.back_office.machine.running.components]

    def _open(self) -> Memory:
        return Memory.open(
            self.folder / "token.db", root_key=ROOT_KEY, random=self.random.randbytes,
            clock=lambda: float(self.office.now),
        )  # fmt: skip


Story = Callable[[DeviceBench], Coroutine[Any, Any, T]]


def on_bench(
    folder: Path, story: Story[T], office: ReferenceOffice | None = None, variant: Variant = Variant.SEALED_IDENTIFIER
) -> T:
    """A story of a device that is made and switched on, in virtual time."""

    async def whole() -> T:
        bench = DeviceBench(folder, office or ReferenceOffice(), variant)
        bench.switch_on()
        try:
            return await story(bench)
        finally:
            await bench.switch_off()

    return run_virtually(whole())

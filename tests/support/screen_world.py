"""A world whose phone has a screen, and a person who taps on it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from fob_device.approval.rules import Rules
from fob_device.memory import Memory
from fob_device.phone import Phone
from fob_device.screen.person import ScreenPerson
from fob_device.screen.sheets import ApprovalSheet, PairingSheet, PinSheet, Sheet
from fob_device.screen.typed import DONE
from fob_protocol import catalogue
from fob_protocol.at.answer import Answer, Event
from fob_protocol.at.values import Value
from fob_protocol.caller import Caller
from fob_protocol.catalogue import CommandSpec
from fob_protocol.pairing.pc import PairedDevice
from support.medium import MakeMedium, Medium
from support.virtual_loop import run_virtually
from support.world import ROOT_KEY, USER_PIN, World, found_equal

S = TypeVar("S", bound=Sheet)

WRONG_PIN = b"000000"


class ScreenWorld(World):
    """The PC is paired by the person's taps; then the phone is unlocked, and the PC logged in."""

    person: ScreenPerson

    def __init__(self, folder: Path, seed: int = 1, cable: Medium | None = None) -> None:
        super().__init__(folder, seed, Rules(), cable)
        self.asked: list[tuple[Value, ...]] = []

    @classmethod
    async def at_screen(cls, folder: Path, seed: int = 1, cable: Medium | None = None) -> "ScreenWorld":
        """A world whose PC is paired, connected and logged in, at an unlocked phone."""
        world = cls(folder, seed, cable)
        await world.unlock()
        await world.begin()
        world.manager.subscribe(world._hear)
        return world

    async def pair(self, compare: Callable[[str, PairedDevice], Awaitable[bool]] = found_equal) -> PairedDevice:
        """The person opens pairing and finds the codes equal."""
        self.person.open_pairing()
        pairing = asyncio.create_task(super().pair(compare))
        sheet = await self.sheet(PairingSheet)
        self.person.compare_answer(sheet.id, is_equal=True)
        return await pairing

    async def unlock(self, pin: bytes = USER_PIN) -> None:
        """The person types the PIN."""
        assert await self.person.unlock(pin) == DONE

    async def sheet(self, kind: type[S]) -> S:
        """The one sheet there is, as soon as it is there."""
        await self.until(lambda: len(self.person.sheets) > 0)
        (sheet,) = self.person.sheets
        assert isinstance(sheet, kind)
        return sheet

    async def tap(self, is_yes: bool = True, remember: int = 0) -> ApprovalSheet:
        """Answer the one approval there is."""
        sheet = await self.sheet(ApprovalSheet)
        self.person.answer(sheet.id, is_yes, remember)
        return sheet

    async def type_pins(self, *pins: bytes) -> list[str]:
        """Type on the sheet that asks for a PIN, and on the ones after it; what the pad says to each."""
        said = []
        for pin in pins:
            sheet = await self.sheet(PinSheet)
            said.append((await self.person.type_pin(sheet.id, pin)).words)
            await asyncio.sleep(0.1)
        return said

    async def ask(self, spec: CommandSpec, *values: Value, within: float = 100) -> Answer:
        """One command of the PC."""
        return await self.manager.request(spec.build(*values), timeout=within)

    def begin_to_ask(self, spec: CommandSpec, *values: Value, within: float = 100) -> "asyncio.Task[Answer]":
        """One command of the PC, which may have to wait for the person."""
        return asyncio.create_task(self.ask(spec, *values, within=within))

    def begin_to_sign(
        self, key: int, data: int = 0, caller: Caller | None = None, within: float = 100
    ) -> "asyncio.Task[Answer]":
        """A program of the PC wants a signature over a digest of 32 equal octets."""
        names = () if caller is None else (None, 0, caller.to_block())
        return self.begin_to_ask(catalogue.SIGN, key, None, bytes([data]) * 32, *names, within=within)

    async def asks(self) -> list[str]:
        """What the PC was told to tell its person since the last time, after a moment."""
        await asyncio.sleep(1)
        words = [str(values[1]) for values in self.asked]
        self.asked.clear()
        return words

    def restart_phone(self) -> None:
        """As a power cut: what was unlocked is locked."""
        self.person.leave()
        super().restart_phone()

    @property
    def pc_key(self) -> bytes:
        """What the phone knows the PC by."""
        return self._identity.public

    def _start(self) -> Phone:
        memory = Memory.open(
            self._folder / "token.db", root_key=ROOT_KEY, random=self.random.randbytes, clock=self._clock
        )
        self.person = ScreenPerson(memory, self.random.randbytes)
        phone = Phone(memory, self.person, self.random.randbytes, self._clock)
        self.person.belong_to(phone)
        return phone

    def _hear(self, event: Event) -> None:
        if event.name == catalogue.EVENT_ASK:
            self.asked.append(event.values)


def at_screen(
    folder: Path, story: Callable[[ScreenWorld], Coroutine[Any, Any, None]], make_cable: MakeMedium | None = None
) -> None:
    """A story in virtual time at a phone with a screen; nothing is left on it in the end."""

    async def whole() -> None:
        world = await ScreenWorld.at_screen(folder, cable=make_cable and make_cable(folder))
        await story(world)
        assert list(world.person.sheets) == []
        assert world.person.lock.waiting == 0
        world.person.leave()
        await world.close()

    run_virtually(whole())

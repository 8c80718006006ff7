"""A phone with a screen for real programs: it runs in a thread of the test, whose hand taps on it."""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from fob_daemon.demo.links import SerialLink
from fob_daemon.demo.run import set_up
from fob_daemon.demo.scratch import Scratch
from fob_device.line.phone_lines import PhoneLines
from fob_device.phone import Phone
from fob_device.ports.url import open_port
from fob_device.screen.person import ScreenPerson
from fob_device.screen.sheets import ApprovalSheet, PairingSheet, PinSheet, Sheet
from fob_device.state import open_phone
from fob_protocol.pkcs11.constants import Cku
from support.cheap_phone import CheapProcesses
from support.live import LINGER, Live

T = TypeVar("T")

START_TIME: Final = 20.0


class Hand:
    """Unlocks the phone when something waits for it, says yes, and types PINs: those of `first`, then right ones.

    `words`: what it was asked, in order. `idle`: it does nothing.
    """

    def __init__(self, person: ScreenPerson, scratch: Scratch) -> None:
        self.words: list[str] = []
        self.first: list[bytes] = []
        self.new_pin = b"271828"
        self.idle = False
        self._person = person
        self._user_pin = scratch.user_pin.encode()
        self._so_pin = scratch.so_pin.encode()

    async def live(self) -> None:
        """Look at the screen whenever it changes."""
        news = asyncio.Event()
        self._person.on_change.add(news.set)
        while True:
            await news.wait()
            news.clear()
            if not self.idle:
                await self._look()

    async def _look(self) -> None:
        lock = self._person.lock
        if lock.is_locked and lock.waiting and not lock.is_blocked:
            self.words.append("unlock")
            await lock.unlock(self._next(self._user_pin))
        for sheet in self._person.visible_sheets:
            await self._answer(sheet)

    async def _answer(self, sheet: Sheet) -> None:
        self.words.append(sheet.words)
        match sheet:
            case ApprovalSheet():
                self._person.answer(sheet.id, is_yes=True)
            case PairingSheet():
                self._person.compare_answer(sheet.id, is_equal=True)
            case PinSheet(entry=entry):
                right = self._so_pin if entry.user is Cku.SO else self._user_pin
                await self._person.type_pin(sheet.id, self.new_pin if entry.is_new else self._next(right))

    def _next(self, right: bytes) -> bytes:
        return self.first.pop(0) if self.first else right


class ScreenPhone:
    """The phone, its person, and the loop that they run in; `do` acts there."""

    def __init__(self, scratch: Scratch, url: str) -> None:
        self._scratch = scratch
        self._url = url
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._live(),))
        self._thread.start()
        assert self._ready.wait(START_TIME)

    def do(self, what: Callable[[], T]) -> T:
        """What `what` gives, called where the phone runs."""

        async def called() -> T:
            return what()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(START_TIME)

    def stop(self) -> None:
        """Switch it off."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _live(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        memory = open_phone(self._scratch.phone)
        self.person = ScreenPerson(memory, os.urandom)
        self.phone = Phone(memory, self.person, os.urandom, time.time)
        self.person.belong_to(self.phone)
        self.hand = Hand(self.person, self._scratch)
        port = open_port(self._url)
        tasks = [
            asyncio.ensure_future(port.serve(PhoneLines(self.phone, over=self._url), self._ready.set)),
            asyncio.create_task(self.hand.live()),
        ]
        await self._end.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.phone.lose_power()
        self.person.leave()
        await asyncio.sleep(0)
        memory.close()


class ScreenProcesses(CheapProcesses):
    """As those of a demo, but that the phone is in this process."""

    screen: ScreenPhone

    def start_phone(self) -> None:
        """Switched on and unlocked, and open to pairing."""
        self.screen = ScreenPhone(self.scratch, self.link.port(self.scratch))
        pin = self.scratch.user_pin.encode()
        asyncio.run_coroutine_threadsafe(self.screen.person.unlock(pin), self.screen._loop).result(START_TIME)
        self.screen.do(self.screen.person.open_pairing)


@contextlib.contextmanager
def screen_phone(folder: Path) -> Iterator[tuple[Live, ScreenPhone]]:
    """Paired, with three keys; the phone is unlocked and nobody is logged in."""
    link = SerialLink()
    scratch = Scratch.in_folder(folder)
    scratch.write_files(link.configuration(scratch))
    with scratch.config.open("a") as file:
        file.write(f"[timeouts]\nlogout_linger = {LINGER}\n")
    processes = ScreenProcesses(scratch, link)
    with processes:
        try:
            set_up(processes, lambda words: None)
            yield Live(scratch, processes), processes.screen
        finally:
            processes.screen.stop()

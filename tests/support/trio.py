"""Device, daemon and office as three programs, killed at any message and started again from what is on their disks."""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from fob_daemon.cli.client import Client
from fob_daemon.control.errors import ControlError
from fob_daemon.daemon import REGISTRY_FILE
from fob_daemon.demo.links import DemoLink
from fob_daemon.demo.office import HARDWARE, OPTIONS, SERIAL
from fob_daemon.demo.scratch import TOKEN_LABEL, Scratch
from support.cheap_phone import make_cheap_phone
from support.gate import Gate, Moment, Strike, open_gate
from support.live import LINKS
from support.nursery import Child, Nursery
from support.office_process import fob_office
from support.ready_program import installed

T = TypeVar("T")

# Seconds for what goes on by itself: a pause before the next try is a second and a quarter at first.
PATIENCE: Final = 30.0
POLL: Final = 0.02
SERVER: Final = "registration"
FIELDS: Final = {"name": "Ann"}
# What is ordered, with what that needs.
COMPONENTS: Final = 6


class Party(StrEnum):
    """Who is killed."""

    DEVICE = "device"
    DAEMON = "daemon"
    OFFICE = "office"


AIR: Final = "air"


@dataclass(frozen=True)
class Made:
    """Folders of a device, its PC and their office, at rest; a trio begins with a copy of them."""

    scratch: Scratch
    link: DemoLink

    def copied(self, folder: Path, office_url: str | None) -> Scratch:
        """In another folder, for an office that is reached there."""
        scratch = replace(self.scratch, folder=folder)
        for name in ("phone", "daemon", "office"):
            if (self.scratch.folder / name).exists():
                shutil.copytree(self.scratch.folder / name, folder / name)
        registry = folder / "daemon" / REGISTRY_FILE
        if registry.exists():
            registry.write_text(registry.read_text().replace(str(self.scratch.line), str(scratch.line)))
        office = "" if office_url is None else f"[office]\nurl = {json.dumps(office_url)}\n"
        scratch.write_files(self.link.configuration(scratch) + office)
        return scratch


class Trio:
    """The programs of one folder."""

    def __init__(self, nursery: Nursery, scratch: Scratch, link: DemoLink, gate: Gate) -> None:
        self.scratch = scratch
        self.gate = gate
        self.client = Client(scratch.socket("control"))
        self._nursery = nursery
        self._link = link
        self._running: dict[str, Child] = {}
        self._victim = Party.DEVICE
        self._mended = asyncio.Event()

    async def start(self, *names: str) -> None:
        """They are ready when this returns."""
        for name in names:
            self._running[name] = child = self._start(name)
            await child.until_ready()
            if name == Party.OFFICE:
                self.gate.office = re.findall(r"http://\S+", child.ready)[0]

    async def start_all(self) -> None:
        """In the order in which nobody misses anybody."""
        if self.has_air:
            await self.start(AIR)
        await self.start(Party.OFFICE, Party.DEVICE, Party.DAEMON)

    def kill(self, name: str) -> None:
        """By SIGKILL; it is gone when this returns."""
        if name == Party.DEVICE:
            # As a serial device that is pulled out. The number of its terminal may be another phone's in a moment, and
            # phones of one `Made` have one identity.
            self.scratch.line.unlink(missing_ok=True)
        self._running.pop(name).close()

    def close(self) -> None:
        """The end of all of them."""
        for name in reversed(list(self._running)):
            self.kill(name)

    def stop(self) -> None:
        """Politely."""
        for child in self._running.values():
            child.stop()
        self.close()

    def strike(self, number: int, moment: Moment, party: Party) -> None:
        """`party` dies at this exchange, counted from the first one of all; `mend` starts it again."""
        self._victim = party
        # An office that is dead answers nobody, and a daemon hears nothing.
        self.gate.strike = Strike(number, moment, lambda: self.kill(party), answers=party is Party.DEVICE)

    async def mend(self) -> None:
        """Whoever dies is started again."""
        await self.gate.struck.wait()
        await self.start(self._victim)
        self._mended.set()

    async def until_mended(self) -> None:
        """All of them are there and have found each other."""
        await self._mended.wait()
        await self.until_ready()

    def words_of(self, name: str) -> str:
        """What a program has said in all of its lives."""
        return self._log(name).read_text()

    async def ask(self, work: Callable[[], T]) -> T:
        """What blocks, beside the gate."""
        return await asyncio.to_thread(work)

    async def office_view(self) -> dict[str, Any]:
        """What the device says that it is to its office. Raises ControlError."""
        seen: dict[str, Any] = await self.ask(lambda: self.client.get_from_device("devices", TOKEN_LABEL, "office"))
        return dict(seen["office"])

    async def until_ready(self) -> None:
        """The daemon has a session with the device."""
        await self._until(lambda: self._state() == "ready")

    async def until_running(self) -> dict[str, Any]:
        """The device rests, and runs what it holds."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    view = await self.office_view()
                except ControlError:
                    view = {"state": "", "words": ""}
                if (view["state"], view["words"]) == ("running", ""):
                    return view
                await asyncio.sleep(POLL)

    async def until_configured(self) -> None:
        """The office has heard what became of the first set, and has validated each copy."""
        await self.gate.until_answered("report")
        await self.until_validated()

    async def until_validated(self) -> None:
        """Each component's copy was validated, by two messages, and the device rests."""
        await self.gate.until_answered("validation", 2 * COMPONENTS)
        await self.until_running()

    def look(self) -> Any:
        """What it takes to register. Raises ControlError."""
        return self._register({})

    def register(self) -> Any:
        """The person registers. Raises ControlError."""
        return self._register({"fields": dict(FIELDS)})

    @property
    def has_air(self) -> bool:
        """Whether phone and daemon need air between them."""
        return "ble:" in self._link.port(self.scratch)

    def _register(self, body: dict[str, Any]) -> Any:
        return self.client.post("devices", TOKEN_LABEL, "servers", SERVER, "registration", body=body)

    def _state(self) -> str:
        try:
            return str(self.client.get("status")["devices"][0]["state"])
        except ControlError:
            return ""

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await self.ask(condition):  # noqa: ASYNC110 - the daemon is another process
                await asyncio.sleep(POLL)

    def _start(self, name: str) -> Child:
        scratch = self.scratch
        program, *arguments = {
            AIR: ("fob-device", "radio", f"--listen=unix:{scratch.air}", "--interval=7.5"),
            Party.OFFICE: ("fob-office", "run", f"--state={scratch.office}", "--listen=127.0.0.1:0", "--no-tls"),
            Party.DEVICE: (
                *("fob-device", "run", f"--state={scratch.phone}", f"--rules={scratch.rules}"),
                f"--port={self._link.port(scratch)}",
            ),
            Party.DAEMON: ("fobd", f"--config={scratch.config}"),
        }[name]
        return self._nursery.start(program, *arguments, log=self._log(name))

    def _log(self, name: str) -> Path:
        return self.scratch.folder / f"{name}.log"


@asynccontextmanager
async def trio_of(nursery: Nursery, made: Made) -> AsyncIterator[Trio]:
    """A trio of its own, that nobody has started yet; all of it is gone at the end."""
    with short_folder() as folder:
        async with open_gate() as gate:
            trio = Trio(nursery, made.copied(folder, gate.url), made.link, gate)
            try:
                yield trio
            finally:
                trio.close()


@contextmanager
def short_folder() -> Iterator[Path]:
    """It is part of the paths of sockets, which have 107 octets."""
    with TemporaryDirectory(prefix="fob-") as folder:
        yield Path(folder)


async def make_generic(nursery: Nursery, folder: Path, link: str) -> Made:
    """A device as it leaves its factory, paired with a PC; an office has an order for it, and nobody has asked yet."""
    scratch = Scratch.in_folder(folder)
    made = Made(scratch, LINKS[link])
    scratch.write_files(made.link.configuration(scratch))
    make_cheap_phone(scratch)
    _found_office_and_order(scratch)
    async with open_gate() as gate:
        trio = Trio(nursery, scratch, made.link, gate)
        try:
            if trio.has_air:
                await trio.start(AIR)
            await trio.start(Party.DEVICE, Party.DAEMON)
            await trio.ask(lambda: _pair(trio))
            await trio.until_ready()
        finally:
            trio.stop()
    return made


async def make_configured(nursery: Nursery, folder: Path, generic: Made) -> Made:
    """The same after its first configuration."""
    async with open_gate() as gate:
        scratch = generic.copied(folder, gate.url)
        trio = Trio(nursery, scratch, generic.link, gate)
        try:
            await trio.start_all()
            await trio.until_configured()
        finally:
            trio.stop()
    return Made(scratch, generic.link)


def _found_office_and_order(scratch: Scratch) -> None:
    record, certificate = scratch.folder / "record", scratch.folder / "certificate"
    fob_office(scratch.office, "init")
    fob_office(scratch.office, "component", "add", "--shipped", "--hardware", HARDWARE)
    fob_office(scratch.office, "server", "certificate", "configuration", "--output", str(certificate))
    issuer = json.loads(fob_office(scratch.office, "issuer", "show", "--json"))["public_key"]
    _run(
        "fob-device", "factory", f"--state={scratch.phone}", f"--issuer={issuer}", f"--serial={SERIAL}",
        f"--server-certificate={certificate}", f"--hardware={HARDWARE}", f"--record={record}",
    )  # fmt: skip
    fob_office(scratch.office, "order", "create", SERIAL, *OPTIONS, "--record", str(record))


def _pair(trio: Trio) -> None:
    scratch = trio.scratch
    environment = scratch.environment()
    url = f"serial:{scratch.line}"
    if trio.has_air:
        found = json.loads(_run("fob", "--json", "devices", "--scan", "--seconds=1", **environment))["devices"]
        url = found[0]["url"]
    _run("fob", "pair", url, "--yes", **environment)


def _run(program: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [installed(program), *arguments], env=os.environ | environment, capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout

"""A whole world in one loop: a phone with a real token, a cable with faults, and the daemon's link to it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from fob_daemon.link.data_line import open_data_line
from fob_daemon.link.manager import LinkManager
from fob_daemon.link.pair import Compare, pair
from fob_device.approval.questions import Decider
from fob_device.approval.rules import Rules
from fob_device.line.phone_lines import PhoneLines
from fob_device.memory import Memory
from fob_device.phone import Phone
from fob_device.token.kdf import KdfCost
from fob_device.token.session import TokenSession
from fob_protocol import catalogue
from fob_protocol.at.attribute_list import attributes_to_values
from fob_protocol.noise.keys import KeyPair
from fob_protocol.pairing.pc import PairedDevice
from fob_protocol.pkcs11.attributes import Attributes
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.medium import Medium
from support.memory_line import Cable
from support.noise import Noise
from support.virtual_loop import run_virtually

USER_PIN = b"123456"
SO_PIN = b"12345678"
ROOT_KEY = bytes(range(32))
CHEAP = KdfCost(iterations=1, lanes=1, memory_kib=8)
P256 = bytes.fromhex("06082a8648ce3d030107")
URL = Cable.url
# What the phone takes for the time.
NOW = 1_800_000_000.0


async def found_equal(code: str, device: PairedDevice) -> bool:
    """Somebody who says yes to every code."""
    return True


@contextmanager
def counted_signatures() -> Iterator[Counter[bytes]]:
    """How often any token signed each digest."""
    counter: Counter[bytes] = Counter()
    sign = TokenSession.sign

    def counting(session: TokenSession, handle: int, mechanism: Mechanism, data: bytes) -> bytes:
        counter[data] += 1
        return sign(session, handle, mechanism, data)

    with patch.object(TokenSession, "sign", counting):
        yield counter


class World:
    """Use inside a running loop: `await World.paired(...)`. The line is a serial cable unless another one is given."""

    def __init__(self, folder: Path, seed: int, decider: Decider, cable: Medium | None = None) -> None:
        self.random = random.Random(seed)
        self.cable = cable or Cable(Noise(seed=seed))
        self.noise = self.cable.noise
        self.decider = decider
        self._folder = folder
        self._identity = KeyPair.generate(self.random.randbytes)
        self._device_key = b""
        Memory.create(
            folder / "token.db", root_key=ROOT_KEY, label="World", so_pin=SO_PIN, user_pin=USER_PIN,
            random=self.random.randbytes, clock=self._clock, kdf=CHEAP,
        ).close()  # fmt: skip
        self.phone = self._start()
        self.cable.switch_on(PhoneLines(self.phone))
        self.link: LinkManager | None = None
        self._running: asyncio.Task[None] | None = None

    @classmethod
    async def paired(
        cls, folder: Path, seed: int, decider: Decider | None = None, cable: Medium | None = None
    ) -> "World":
        """A world whose PC is paired and connected."""
        world = cls(folder, seed, decider or Rules(), cable)
        await world.begin()
        return world

    async def begin(self) -> None:
        """Pair, and wait until the PC is connected."""
        self._device_key = (await self.pair()).key
        self.link = self.new_link()
        self._running = asyncio.get_running_loop().create_task(self.link.run())
        await self.until(lambda: self.manager.greeting is not None)

    def new_link(self) -> LinkManager:
        """A daemon's link to the paired phone, not started."""
        return LinkManager((self.cable.url,), self._identity, self._device_key, self.random.randbytes, self.cable.open)

    async def disconnect(self) -> None:
        """The daemon ends."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None

    @property
    def manager(self) -> LinkManager:
        """The daemon's link."""
        assert self.link is not None
        return self.link

    async def pair(self, compare: Compare = found_equal) -> PairedDevice:
        """Pair over the line. Raises RefusedError."""
        data_line = await open_data_line(self.cable.url, self.cable.open_to_pair)
        try:
            device = await pair(data_line, self._identity, self.random.randbytes, pc_name="me@pc", compare=compare)
            self.cable.keep()
            return device
        finally:
            data_line.line.close()

    async def reconnect(self) -> None:
        """The connection ends, and another one begins."""
        self.cable.hang_up()
        await self.until(lambda: self.manager.greeting is None)
        await self.until(lambda: self.manager.greeting is not None)

    def forget_pc(self) -> None:
        """The phone's person unpairs this PC."""
        self.phone.pairings.remove(self._identity.public)

    def restart_phone(self) -> None:
        """Kill the phone in the middle of whatever it does, and switch it on again from what is on its disk."""
        self.phone.lose_power()
        self.cable.switch_off()
        self.phone.token.close()
        self.phone = self._start()
        self.cable.switch_on(PhoneLines(self.phone))

    def restart_program(self) -> None:
        """The phone's program restarts; the line stays open, and nobody says a word."""
        self.phone.token.close()
        self.phone = self._start()
        self.cable.restart(PhoneLines(self.phone))

    async def until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Let time pass until something holds."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - virtual time
                await asyncio.sleep(0.01)

    async def new_key(self, label: bytes = b"key") -> int:
        """Log in and make a P-256 key; its handle."""
        return await self._new_key_pair(Ckm.EC_KEY_PAIR_GEN, {Cka.EC_PARAMS: P256}, label)

    async def new_rsa_key(self, label: bytes = b"key") -> int:
        """Log in and make an RSA-2048 key; its handle."""
        return await self._new_key_pair(Ckm.RSA_PKCS_KEY_PAIR_GEN, {Cka.MODULUS_BITS: 2048}, label)

    async def _new_key_pair(self, mechanism: Ckm, parameters: Attributes, label: bytes) -> int:
        await self.login()
        public = attributes_to_values({Cka.TOKEN: True} | parameters)
        private = attributes_to_values({Cka.TOKEN: True, Cka.LABEL: label})
        command = catalogue.GENERATE_KEY_PAIR.build(mechanism, None, len(public) // 2, *public, *private)
        answer = await self.manager.request(command, timeout=30)
        answer.raise_for_ckr()
        handle = answer.lines[2][0]
        assert isinstance(handle, int)
        return handle

    async def login(self) -> None:
        """Log the PC in as the user."""
        (await self.manager.request(catalogue.LOGIN_USER.build(1, USER_PIN), timeout=30)).raise_for_ckr()

    async def close(self) -> None:
        """The end of this world."""
        await self.disconnect()
        self.cable.switch_off()
        await asyncio.sleep(0.1)
        self.phone.token.close()
        await self.cable.close()

    def _start(self) -> Phone:
        memory = Memory.open(
            self._folder / "token.db", root_key=ROOT_KEY, random=self.random.randbytes, clock=self._clock
        )
        return Phone(
            memory=memory,
            decider=self.decider,
            random=self.random.randbytes,
            wall_clock=self._clock,
        )

    def _clock(self) -> float:
        return NOW


def tell(folder: Path, cable: Medium, story: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    """A story in virtual time, of a PC that is paired with a phone and connected over this cable."""

    async def whole() -> None:
        world = await World.paired(folder, 1, cable=cable)
        await story(world)
        await world.close()

    run_virtually(whole())

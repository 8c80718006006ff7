"""A world whose phone lies on a workbench."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from fob_daemon.link.manager import LinkManager
from fob_daemon.link.pair import Compare
from fob_device.approval.questions import Decider
from fob_device.approval.rules import Rules
from fob_device.line.phone_lines import PhoneLines
from fob_device.phone import Phone
from fob_device.ports.url import Opened, Port
from fob_device.workbench.reports import LineReport
from fob_device.workbench.workbench import Workbench
from fob_protocol import catalogue
from fob_protocol.at.answer import single
from fob_protocol.pairing.pc import PairedDevice
from fob_protocol.pkcs11.cka import Cka
from support.medium import Medium
from support.memory_line import Cable
from support.noise import Noise
from support.virtual_loop import run_virtually
from support.world import NOW, World, found_equal


class BenchWorld(World):
    """The cable is the phone's only port."""

    def __init__(self, folder: Path, seed: int, decider: Decider, cable: Medium | None = None) -> None:
        cable = cable or Cable(Noise(seed=seed))
        self.bench = Workbench([Port("test:port", self._serve, "")], lambda: NOW)
        super().__init__(folder, seed, decider, cable)
        # From here on the workbench switches it on and off.
        self.cable.switch_off()
        self.phone.token.close()
        self._bench_running = asyncio.get_running_loop().create_task(self.bench.run(self._switched_on))

    async def pair(self, compare: Compare = found_equal) -> PairedDevice:
        """Pair over the line. Raises RefusedError."""
        await self.bench.opened()
        return await super().pair(compare)

    @property
    def line(self) -> LineReport:
        """The only one."""
        (line,) = self.bench.lines()
        return line

    async def connected(self) -> LinkManager:
        """The daemon's link, as soon as it has a session."""
        await self.until(lambda: self.manager.greeting is not None)
        return self.manager

    async def close(self) -> None:
        """The end of this world."""
        await self.disconnect()
        self._bench_running.cancel()
        await asyncio.gather(self._bench_running, return_exceptions=True)
        await self.cable.close()

    async def _serve(self, lines: PhoneLines, opened: Opened) -> None:
        """The port."""
        self.cable.switch_on(lines)
        opened()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.cable.switch_off()

    @contextmanager
    def _switched_on(self) -> Iterator[Phone]:
        self.phone = self._start()
        try:
            yield self.phone
        finally:
            self.phone.token.close()

    def _clock(self) -> float:
        return self.bench.clock()


async def sign(world: World, key: int, digest: bytes, seconds: float = 60.0) -> float:
    """One signature that is what was asked for; the seconds it took. Raises CkrError."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    answer = await world.manager.request(catalogue.SIGN.build(key, None, digest), timeout=seconds)
    (signature,) = single(answer, bytes)
    assert isinstance(signature, bytes)
    verify(public_key(world, key), digest, signature)
    return loop.time() - began


def public_key(world: World, key: int) -> ec.EllipticCurvePublicKey:
    """A key's public half, from the phone's own list."""
    for view in world.phone.token.changes_since(0, limit_bytes=100_000).objects:
        point = view.attributes.get(Cka.EC_POINT)
        if view.handle == key and isinstance(point, bytes):
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point[2:])
    raise AssertionError("no such key")


def verify(public: ec.EllipticCurvePublicKey, digest: bytes, signature: bytes) -> None:
    """Raises InvalidSignature."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    public.verify(encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA256())))


BenchStory = Callable[[BenchWorld], Coroutine[Any, Any, None]]


def on_the_bench(folder: Path, story: BenchStory, cable: Medium | None = None, decider: Decider | None = None) -> None:
    """A story in virtual time, of a PC that is paired and connected with a phone on a workbench."""

    async def whole() -> None:
        world = BenchWorld(folder, 1, decider or Rules(), cable)
        await world.begin()
        await story(world)
        await world.close()

    run_virtually(whole())

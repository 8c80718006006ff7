"""A phone that is paired is paired again, while a program waits for it: nothing is broken, and nothing done twice."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from fob_daemon import daemon as daemon_module
from fob_daemon.config import Config, Sockets
from fob_daemon.control.errors import ControlError
from fob_daemon.cryptoki.interface import Application
from fob_daemon.daemon import Daemon
from fob_daemon.link.lines import Lines
from fob_daemon.peer import PeerIdentity
from fob_device.approval.rules import Rule, Rules
from fob_protocol.limits import QUESTION_TIME
from fob_protocol.pkcs11.attributes import Template
from fob_protocol.pkcs11.cka import Cka
from fob_protocol.pkcs11.ckm import Ckm
from fob_protocol.pkcs11.constants import Cku
from fob_protocol.pkcs11.flags import SessionFlag
from fob_protocol.pkcs11.mechanisms import Mechanism
from support.memory_line import Cable
from support.noise import Noise
from support.virtual_loop import run_virtually
from support.world import P256, URL, USER_PIN, World, counted_signatures

pytestmark = pytest.mark.clause("P7")

Compare = Callable[[str, str, str], Awaitable[bool]]

THINKING = 4.0
COMPARING = 20.0
DIGEST, SECOND = bytes(32), bytes([1]) * 32
ECDSA = Mechanism(Ckm.ECDSA)
RULES = Rules(approvals=(Rule(key="asked", after=THINKING),))
PEER = PeerIdentity(os.getpid(), os.getuid(), os.getgid(), "program", ("program",))
WAITING = "Waiting for what is under way on 'World' ..."


def says(answer: bool) -> Compare:
    """A person who compares for a while."""

    async def compare(code: str, device: str, serial: str) -> bool:
        await asyncio.sleep(COMPARING)
        return answer

    return compare


class CableLines(Lines):
    """Every line is one cable."""

    def __init__(self, cable: Cable) -> None:
        super().__init__(lambda: pytest.fail("there is no radio"))
        self.open = self.open_to_pair = cable.open  # type: ignore[method-assign]


class Scene:
    """A daemon, a phone that it is paired with, and a program that is logged in there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.said: list[str] = []

    async def __aenter__(self) -> "Scene":
        cable = Cable(Noise())
        self.world = World(self._folder, 1, RULES, cable)
        provider, agent, control = (self._folder / f"{name}.sock" for name in ("provider", "agent", "control"))
        sockets = Sockets(provider=provider, agent=agent, control=control)
        self.daemon = Daemon(Config(state=self._folder / "state", sockets=sockets))
        with patch.object(daemon_module, "Lines", lambda _: CableLines(cable)):
            await self.daemon.start({})
        await self.pair(says(True))
        self.world.link = self.daemon._devices["World"].link
        self.program: Application = self.daemon.application(PEER)
        self.session = self.program.open_session(1, SessionFlag.SERIAL_SESSION | SessionFlag.RW_SESSION)
        await self.program.login(self.session, Cku.USER, USER_PIN)
        public: Template = {Cka.TOKEN: True, Cka.EC_PARAMS: P256}
        private: Template = {Cka.TOKEN: True, Cka.LABEL: b"asked"}
        curve = Mechanism(Ckm.EC_KEY_PAIR_GEN)
        _, self.key = await self.program.generate_key_pair(self.session, curve, public, private)
        self.said.clear()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.daemon.stop()
        await self.world.close()

    async def pair(self, compare: Compare, name: str | None = None) -> None:
        await self.daemon.pair(URL.text, name, compare, self.said.append)

    async def sign(self, digest: bytes) -> float:
        """One signature; when it came."""
        self.program.sign_init(self.session, ECDSA, self.key)
        signature = await self.program.sign(self.session, digest, 64)
        assert isinstance(signature, bytes)
        assert len(signature) == 64
        return asyncio.get_running_loop().time()


@pytest.mark.parametrize(("answer", "name"), [(False, None), (True, None), (True, "my pixel")])
def test_a_signature_under_way_comes_and_the_next_one_waits_for_the_pairing(
    tmp_path: Path, answer: bool, name: str | None
) -> None:
    async def story() -> None:
        async with Scene(tmp_path) as scene:
            with counted_signatures() as signed:
                began = asyncio.get_running_loop().time()
                under_way = asyncio.create_task(scene.sign(DIGEST))
                await asyncio.sleep(1)
                pairing = asyncio.create_task(scene.pair(says(answer), name))
                await asyncio.sleep(1)
                assert scene.said == [WAITING]
                assert THINKING <= await under_way - began < THINKING + 1
                waiting = asyncio.create_task(scene.sign(SECOND))
                await asyncio.sleep(COMPARING - 1)
                assert not pairing.done()
                (refused,) = await asyncio.gather(pairing, return_exceptions=True)
                assert isinstance(refused, ControlError) is not answer
                assert await waiting - began > THINKING + COMPARING
            assert signed == {DIGEST: 1, SECOND: 1}
            assert [device.name for device in scene.daemon.status().devices] == [name or "World"]

    run_virtually(story())


def test_nothing_under_way_is_not_waited_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with Scene(tmp_path) as scene:
            await scene.pair(says(True))
            assert WAITING not in scene.said

    run_virtually(story())


def test_the_person_is_not_waited_for_longer_than_a_question_takes(tmp_path: Path) -> None:
    async def story() -> None:
        async with Scene(tmp_path) as scene:
            gate = scene.world.manager._gate
            with gate.passed():
                began = asyncio.get_running_loop().time()
                await scene.pair(says(True))
            took = asyncio.get_running_loop().time() - began
            assert QUESTION_TIME + COMPARING <= took < QUESTION_TIME + COMPARING + 2
            assert scene.said[:2] == [WAITING, "It takes too long, and is broken off."]

    run_virtually(story())


def test_who_gives_up_pairing_while_it_waits_leaves_the_link_as_it_was(tmp_path: Path) -> None:
    async def story() -> None:
        async with Scene(tmp_path) as scene:
            with counted_signatures() as signed:
                under_way = asyncio.create_task(scene.sign(DIGEST))
                await asyncio.sleep(1)
                pairing = asyncio.create_task(scene.pair(says(True)))
                await asyncio.sleep(1)
                pairing.cancel()
                await asyncio.gather(pairing, return_exceptions=True)
                await under_way
                await scene.sign(SECOND)
            assert signed == {DIGEST: 1, SECOND: 1}
            assert scene.world.manager.connects == 1

    run_virtually(story())

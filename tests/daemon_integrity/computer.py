"""A computer with a small fobd installed, and a real office in the same process that answers when it is let."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fob_daemon.config import OfficeSettings
from fob_daemon.control.errors import ControlError
from fob_daemon.control.integrity_reports import OWN_PROGRAM
from fob_daemon.integrity import validating
from fob_daemon.integrity.own_copy import OwnCopy
from fob_daemon.relay.outcome import Outcome
from fob_daemon.version import own_version
from fob_office.answering import UnreadableError
from fob_office.distribution.letters import make_letter
from fob_office.programs.reading import installation_of_folders
from fob_office.programs.service import add_installation
from fob_protocol.integrity.installation import release_of
from fob_protocol.office.envelope import Service
from fob_protocol.pkcs11.errors import CkrError
from fob_protocol.relay import RelayStatus
from support.office import OfficeScene
from support.office_shop import OPERATOR

VERSION = release_of(own_version())
LOST = Outcome(RelayStatus.UNREACHABLE, why="it hung up")
BAD_REQUEST = Outcome(RelayStatus.NOT_ANSWERED, why="it answered 400 Bad Request", http=400)


class Line:
    """Implements Office. `lose` is told each service as it is asked; True: the office answers, and nobody hears it."""

    def __init__(self, scene: OfficeScene) -> None:
        self.scene = scene
        self.is_cut = False
        # Set: the office takes each question, and answers none before it is cleared.
        self.hangs = asyncio.Event()
        # The services of those questions.
        self.taken: asyncio.Queue[str] = asyncio.Queue()
        # What comes in place of the office's answers.
        self.answer: Outcome | None = None
        self.asked: list[str] = []
        self.seen: list[bytes] = []
        self.lose: Callable[[int], bool] = lambda number: False

    async def post(self, service: str, question: bytes) -> Outcome:
        if self.is_cut:
            return LOST
        if self.hangs.is_set():
            self.taken.put_nowait(service)
            await asyncio.Event().wait()
        if self.answer is not None:
            return self.answer
        self.asked.append(service)
        try:
            answer = self.scene.answering.answer(Service(service), question)
        except UnreadableError:
            self.seen += [question, b""]
            return BAD_REQUEST
        self.seen += [question, answer]
        return LOST if self.lose(len(self.asked)) else Outcome(RelayStatus.ANSWERED, answer, http=200)

    async def close(self) -> None:
        """Nothing is open."""


class Computer:
    """`folder` has its installed packages and its state; `scene` is its office."""

    def __init__(self, folder: Path, scene: OfficeScene) -> None:
        self.state = folder / "state"
        self.packages = [folder / "fob_daemon", folder / "fob_protocol"]
        self.scene = scene
        self.line = Line(scene)
        self.certificate = folder / "certificate"
        # Seconds that its own clock is behind the office's.
        self.slow = 0

    @classmethod
    def made(cls, folder: Path, scene: OfficeScene, monkeypatch: pytest.MonkeyPatch) -> "Computer":
        """The office knows what is installed."""
        computer = cls(folder, scene)
        computer.state.mkdir(0o700, parents=True)
        for package in computer.packages:
            package.mkdir()
            (package / "__init__.py").write_text(f"# {package.name}\n")
        computer.certificate.write_bytes(scene.signed_certificate("configuration"))
        monkeypatch.setattr(validating, "package_folders", lambda: computer.packages)
        computer.release()
        return computer

    @property
    def main(self) -> Path:
        """A file of the installation."""
        return self.packages[0] / "__init__.py"

    def release(self, version: tuple[int, int, int] = VERSION) -> None:
        """At the office, what is installed."""
        add_installation(self.scene.office, OWN_PROGRAM, version, installation_of_folders(self.packages), OPERATOR)

    def letter(self) -> str:
        """A new one."""
        return make_letter(self.scene.office, OWN_PROGRAM, VERSION, None, OPERATOR)

    def settings(self) -> OfficeSettings:
        """As an administrator has them."""
        return OfficeSettings(
            url="https://office.example", issuer=self.scene.issuer.hex(), certificate=self.certificate
        )

    @asynccontextmanager
    async def switched_on(self, state: Path | None = None) -> AsyncIterator[OwnCopy]:
        """fobd runs. Nobody waits for its first attempt."""
        own = OwnCopy(
            self.settings(), self.line, lambda: self.scene.clock.time - self.slow, lambda: self.scene.clock.ticks
        )
        await own.start(state or self.state)
        try:
            yield own
        finally:
            await own.close()

    async def enrol(self) -> None:
        """By a letter; it is valid then."""
        async with self.switched_on() as own:
            assert (await own.enrol(self.letter(), None, None)).state == "valid"

    def copied_state(self, name: str = "thief") -> Path:
        """Somebody reads the disk."""
        folder = self.state.with_name(name)
        shutil.copytree(self.state, folder)
        return folder


async def refusal_of(own: OwnCopy) -> str:
    """Why no key is used; empty when one is."""
    try:
        await own.admit()
    except CkrError as error:
        return str(error)
    return ""


async def asked_by_itself(computer: Computer, own: OwnCopy) -> None:
    """When what the daemon asks by itself has been answered."""
    asks = asyncio.Event()

    def heard(number: int) -> bool:
        asks.set()
        return False

    computer.line.lose = heard
    async with asyncio.timeout(10):
        await asks.wait()
        # Whoever asks has its turn until all came of it that will.
        async with own._turn:
            pass


async def validated(own: OwnCopy) -> str:
    """What a person hears who asks for a validation."""
    try:
        return (await own.validate()).state
    except ControlError as error:
        return error.why

"""A data centre as an operator has it: made by `fob-office centre init`, with all its processes, for tests to use."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from fob_office.centre.boxes.folder import open_folder
from fob_office.centre.boxes.identity import read_party
from fob_office.centre.bus.passes import Kind
from fob_office.centre.communication.asking import CentreAsker, CentreAwayError
from fob_office.centre.operating.here import names_here
from fob_office.centre.places import centre_folder, load_centre
from fob_office.centre.supervising.status import ProcessStatus, Status, read_status
from fob_office.office import open_office
from fob_office.servers.identity import certificate_of
from fob_office.servers.service import identity, newest_keys
from fob_office.settings import load_settings
from fob_office.surroundings import SYSTEM, Surroundings
from fob_protocol.integrity.presentation import Presentation, unverified_presentation
from fob_protocol.integrity.ticket import unverified_ticket
from fob_protocol.metering.login import seal_password
from fob_protocol.metering.requests import Ask, SignOn, SignUp
from fob_protocol.office.envelope import Service, ask
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.message import MessageT, read
from fob_protocol.office.refusals import Refusal
from support.mailers import PASSWORD, Mailer
from support.office_process import PROGRAM, fob_office

# Seconds for whatever a test waits for, on a machine that does other things too.
PATIENCE: Final = 60.0


class RunningCentre:
    """`process` is the supervisor; `folder` the data centre's."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.folder = centre_folder(state)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = state.parent / "centre.log"
        office = open_office(load_settings(state, os.environ), os.environ, SYSTEM)
        with office.database.read() as session:
            self.certificate = certificate_of(newest_keys(session, "metering"))
            self.validation = identity(session, office.sealer, "integrity").signing_key
        office.close()

    def start(self) -> None:
        """Until all of it is ready."""
        self.begin()
        until(lambda: self._is_ready())

    def begin(self) -> None:
        """Whatever becomes of it."""
        with self.log.open("ab") as log:
            command = [*PROGRAM, "centre", "run", "--state", str(self.state)]
            self.process = subprocess.Popen(command, stderr=log, start_new_session=True)

    def stop(self) -> int:
        """Its exit status after SIGTERM."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def status(self) -> Status:
        """What the supervisor says now."""
        found = read_status(self.folder)
        assert found is not None
        return found

    def of(self, name: str) -> ProcessStatus:
        """One process."""
        return next(process for process in self.status().processes if process.name == name)

    def has(self, name: str) -> bool:
        """Whether there is such a process."""
        return name in {process.name for process in self.status().processes}

    def signal(self, name: str, number: signal.Signals) -> int:
        """To a process that runs; its id."""
        pid = self.of(name).pid
        assert pid is not None
        os.kill(pid, number)
        return pid

    def kill(self, name: str) -> None:
        """As the power is cut."""
        self.signal(name, signal.SIGKILL)

    def sealing_key_of(self, name: str) -> bytes:
        """By which passwords are sealed to it."""
        operator = load_centre(self.folder).operator
        _, directory = read_party(open_folder(self.folder / operator, operator, os.urandom), self.folder, SYSTEM)
        return directory.pass_of(name).sealing

    def tell(self, *arguments: str) -> str:
        """An operator's command; what it prints."""
        return fob_office(self.state, "centre", *arguments)

    async def told(self, *arguments: str) -> str:
        """The same where a loop runs; the command has one of its own."""
        return await asyncio.to_thread(self.tell, *arguments)

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        found = read_status(self.folder)
        return found is not None and found.is_ready and found.pid == self.process.pid


class _Elsewhere:
    """What a mailer has of the world, where no data centre is in this process."""

    def __init__(self, seed: int) -> None:
        self.boxes = self
        self.surroundings = Surroundings(SYSTEM.clock, Random(seed).randbytes)
        # What signing up costs.
        self.fee = 0

    @property
    def now(self) -> int:
        """The true time."""
        return self.surroundings.clock()


class DistantMailer(Mailer):
    """Reaches the data centre by the communication server, and asks again what was not answered, as devices do."""

    def __init__(self, centre: RunningCentre, asker: CentreAsker, name: str, seed: int) -> None:
        elsewhere: Any = _Elsewhere(seed)
        super().__init__(elsewhere, elsewhere, name)
        self.running = centre
        self.asker = asker

    async def say(self, message: SignUp | SignOn | Ask, answer: type[MessageT]) -> MessageT:
        """The same request again and again, until there is an answer or a refusal that stays."""
        end = time.monotonic() + PATIENCE
        while True:
            asked = ask(self.running.certificate, Service.METERING, message.octets(), self.random)
            try:
                return read(answer, asked.open(await self.asker.ask(asked.sealed)).body)
            except CentreAwayError:
                assert time.monotonic() < end, "the data centre does not come back"
            except RefusedError as refused:
                if refused.refusal != Refusal.UNAVAILABLE or time.monotonic() > end:
                    raise

    def presentation(self, nonce: bytes, **changes: Any) -> bytes:
        """Of a ticket by this office's own validation server."""
        ticket = unverified_ticket(unverified_presentation(super().presentation(nonce, **changes)).ticket)
        token = ticket.signed(self.running.validation)
        return Presentation(token).signed(self.signing, "metering", nonce)

    def _with_secrets(self, request: Any, password: str = PASSWORD) -> Any:
        box = names_here(self.running.folder, Kind.AUTHENTICATION)[0]
        sealed = seal_password(self.running.sealing_key_of(box), request, password)
        return replace(request, password=sealed, presentation=self.presentation(request.request_id))


@contextmanager
def running_centre(state: Path, *options: str) -> Iterator[RunningCentre]:
    """An office and a data centre, made and started; whatever is left of it at the end is killed."""
    fob_office(state, "init")
    fob_office(state, "centre", "init", *options)
    centre = RunningCentre(state)
    try:
        centre.start()
        yield centre
    finally:
        assert centre.process is not None
        with suppress(ProcessLookupError):
            os.killpg(centre.process.pid, signal.SIGKILL)
        centre.process.wait(PATIENCE)


def until(is_so: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for another process, and not for long."""
    end = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.02)

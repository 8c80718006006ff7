"""Offices that die in the middle of what they do: by an exception, or as a process by SIGKILL."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final, NoReturn

from sqlalchemy.orm import Session

from fob_office.answering import Answering
from fob_office.database.session import Database
from fob_office.office import open_office
from fob_office.roles import ROLES
from fob_office.settings import Settings
from fob_protocol.office.envelope import Service
from support.office import Clock, OfficeScene, surroundings


class Moment(StrEnum):
    """Of a unit of work."""

    BEFORE = "before"
    AFTER = "after"


class CrashError(Exception):
    """Power is gone: nobody is answered."""


class CrashingDatabase(Database):
    """Dies before or after the commit of the writes that `dies` names; they are counted from 1."""

    dies: Callable[[int], Moment | None]
    writes = 0
    died = 0

    def arm(self, dies: Callable[[int], Moment | None]) -> None:
        """From now on, counting anew."""
        self.dies, self.writes = dies, 0

    @contextmanager
    def write(self) -> Iterator[Session]:
        """As that of every database, until it is not."""
        self.writes += 1
        moment = self.dies(self.writes)
        with super().write() as session:
            yield session
            if moment is Moment.BEFORE:
                session.flush()
                self.die()
        if moment is Moment.AFTER:
            self.die()

    def die(self) -> NoReturn:
        """The office is gone in this moment."""
        self.died += 1
        raise CrashError


class DyingDatabase(CrashingDatabase):
    """Takes its process with it."""

    def die(self) -> NoReturn:
        """No handler, no flush, no goodbye."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("dead")


def crashing(scene: OfficeScene) -> tuple[OfficeScene, CrashingDatabase]:
    """The same office over a database that can be armed."""
    database = CrashingDatabase(scene.office.database.engine)
    database.arm(lambda _: None)
    office = replace(scene.office, database=database)
    return OfficeScene(office, scene.clock, Answering(office, ROLES)), database


_DIED: Final = "died"


@dataclass
class OfficeProcess:
    """An office that answers in a process of its own, and in another one when that has died."""

    process: subprocess.Popen[str]
    # For the next question only.
    dies: Moment | None = None
    died: int = 0

    def send(self, service: Service, sealed: bytes) -> bytes:
        """Raises CrashError when the process died before it answered."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        dies, self.dies = self.dies, None
        self.process.stdin.write(json.dumps([service, sealed.hex(), dies]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().strip()
        assert line
        if line == _DIED:
            self.died += 1
            raise CrashError
        return bytes.fromhex(line)


@contextmanager
def office_process(settings: Settings) -> Iterator[OfficeProcess]:
    """For an office that was made."""
    arguments = [str(settings.state), settings.database or ""]
    with subprocess.Popen(
        [sys.executable, "-m", "support.crashing", *arguments], cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield OfficeProcess(process)
        process.communicate()


def _serve_again_and_again(state: str, database_url: str) -> None:
    """One child after the other, so that programs are loaded once."""
    settings = Settings(state=Path(state), database=database_url or None)
    for life in range(1, 1000):
        child = os.fork()
        if child == 0:
            _serve(settings, life)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            return
        print(_DIED, flush=True)


def _serve(settings: Settings, life: int) -> None:
    opened = open_office(settings, {}, surroundings(Clock(), seed=1000 + life))
    database = DyingDatabase(opened.database.engine)
    answering = Answering(replace(opened, database=database), ROLES)
    for line in sys.stdin:
        service, sealed, dies = json.loads(line)
        database.arm(partial(_at_first, Moment(dies) if dies else None))
        print(answering.answer(Service(service), bytes.fromhex(sealed)).hex(), flush=True)


def _at_first(moment: Moment | None, write: int) -> Moment | None:
    return moment if write == 1 else None


if __name__ == "__main__":
    _serve_again_and_again(*sys.argv[1:])

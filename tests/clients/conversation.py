"""A client program that stays, and is told line by line what to do."""

import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from support.live import CLIENT_TIME, Live

PROGRAMS = Path(__file__).with_name("programs")
END_TIME = 5.0


@dataclass(frozen=True, slots=True)
class Client:
    """The program's two ends."""

    program: subprocess.Popen[str]
    tell: IO[str]
    hear: IO[str]

    def ask(self, *words: str) -> str:
        """One line there and one line back."""
        self.begin(*words)
        return self.answer()

    def begin(self, *words: str) -> None:
        """One line there; the answer may take its time."""
        self.tell.write(" ".join(words) + "\n")
        self.tell.flush()

    def answer(self) -> str:
        """One line back."""
        assert self.has_answered(CLIENT_TIME), "the client hangs"
        line = self.hear.readline()
        assert line, f"the client ended with {self.program.wait(END_TIME)}"
        return line.rstrip("\n")

    def has_answered(self, seconds: float = 0.0) -> bool:
        """Whether an answer is there within a time."""
        return bool(select.select([self.hear], [], [], seconds)[0])


@contextmanager
def pykcs11(live: Live) -> Iterator[Client]:
    """PyKCS11 with a session; not logged in."""
    command = [sys.executable, "-u", str(PROGRAMS / "pykcs11_shell.py")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=live.environment, cwd=live.folder
    ) as program:
        try:
            assert program.stdin is not None
            assert program.stdout is not None
            client = Client(program, program.stdin, program.stdout)
            assert client.answer() == "ready"
            yield client
        finally:
            program.kill()

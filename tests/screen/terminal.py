"""A terminal with a shell in it, as a person has one: commands are typed, questions answered, all output is there."""

import asyncio
import fcntl
import os
import re
import signal
import subprocess
import termios
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# Seconds without a word after which nobody waits any longer, however busy the machine is.
PATIENCE: Final = 30.0
END_TIME: Final = 10.0

_READY: Final = "[ready] $? $ "
_SIZE: Final = 65_536
_LOCAL_MODES: Final = 3  # c_lflag of tcgetattr(3)
# The shell's prompt with the last exit status, or a program's question; what runs in the background may speak after it.
_PROMPT: Final = re.compile(r"\[ready\] (?P<status>\d+) \$ |(?P<question>[^\n]*(?:PIN|confirmation|\[y/n\]): )")

# What a person answers to a question.
Answers = Callable[[str], Awaitable[str]]


class CommandFailedError(AssertionError):
    """A command ended with another exit status than 0; the message has its output."""


@dataclass(slots=True)
class Terminal:
    """`said`: all that was ever shown, without what is typed."""

    master: int
    said: str = ""
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _seen: int = 0

    @classmethod
    @asynccontextmanager
    async def opened(cls, environment: Mapping[str, str], folder: Path, rc: str) -> AsyncIterator["Terminal"]:
        """An interactive bash in `folder`; `rc`: what it reads first. What it has started ends with it."""
        rc_file = Path(environment["HOME"]) / ".terminal"
        rc_file.write_text(f"PS1='{_READY}'\n{rc}")
        master, shell = _shell(environment, folder, rc_file)
        terminal, loop = cls(master), asyncio.get_running_loop()
        loop.add_reader(master, terminal._read)
        try:
            await terminal._prompted(None)
            yield terminal
        finally:
            # A window that is closed: the shell and its jobs hear it.
            shell.send_signal(signal.SIGHUP)
            await asyncio.wait_for(terminal._left.wait(), END_TIME)
            await asyncio.to_thread(shell.wait, END_TIME)
            os.close(master)

    async def run(self, command: str, answers: Answers | None = None) -> str:
        """Type a command, and answer its questions; what it says. Raises CommandFailedError."""
        began = len(self.said)
        self._type(command)
        status = await self._prompted(answers)
        output = self.said[began:].rpartition("[ready]")[0]
        if status:
            raise CommandFailedError(f"$ {command}\n{output}ended with {status}")
        return output

    async def until(self, pattern: str) -> re.Match[str]:
        """What was shown, or will be."""
        while (found := re.search(pattern, self.said)) is None:
            await self._more()
        return found

    async def _prompted(self, answers: Answers | None) -> int:
        """The exit status of the command that runs."""
        while True:
            found = _PROMPT.search(self.said, self._seen)
            if found is None:
                await self._more()
                continue
            self._seen = found.end()
            if found["status"]:
                return int(found["status"])
            assert answers is not None, f"nobody answers {found['question']!r}"
            self._type(await answers(found["question"]))

    async def _more(self) -> None:
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), PATIENCE)
        except TimeoutError:
            raise AssertionError(f"nothing more happens after\n{self.said}") from None

    def _type(self, line: str) -> None:
        os.write(self.master, f"{line}\n".encode())

    def _read(self) -> None:
        try:
            self.said += os.read(self.master, _SIZE).decode(errors="replace").replace("\r\n", "\n")
        except OSError:  # all that ran in it has ended
            asyncio.get_running_loop().remove_reader(self.master)
            self._left.set()
        self._news.set()


def _shell(environment: Mapping[str, str], folder: Path, rc_file: Path) -> tuple[int, "subprocess.Popen[bytes]"]:
    """Bash with a terminal of its own, which does not repeat what is typed; the terminal's other end."""
    master, slave = os.openpty()
    settings = termios.tcgetattr(slave)
    settings[_LOCAL_MODES] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, settings)
    shell = subprocess.Popen(
        ("bash", "--rcfile", str(rc_file), "--noediting", "-i"),
        stdin=slave, stdout=slave, stderr=slave, env=dict(environment), cwd=folder, start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(slave)
    os.set_blocking(master, False)
    return master, shell

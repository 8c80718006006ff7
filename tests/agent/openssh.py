"""Real OpenSSH programs against an agent: commands with its socket, and an sshd of one's own."""

import asyncio
import os
import pwd
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from support.required import check_program, program

# Clients are quick; one that takes longer has hung.
CLIENT_TIME = 30

# What Debian's service makes at its start; sshd does not run as root without it.
PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True)
class Programs:
    """Programs that know an agent by its socket; what they would ask a person, they are told from a file."""

    folder: Path
    agent: Path

    async def run(self, *command: str, stdin: bytes = b"", answer: str | None = None) -> Done:
        """`answer` is what the program gets when it asks for a PIN or a passphrase."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "SSH_AUTH_SOCK": str(self.agent)}
        if answer is not None:
            environment |= {"SSH_ASKPASS": str(self._askpass(answer)), "SSH_ASKPASS_REQUIRE": "force"}
        check_program(command[0])
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, cwd=self.folder
        )
        output, errors = await asyncio.wait_for(process.communicate(stdin), CLIENT_TIME)
        assert process.returncode is not None
        return Done(process.returncode, output.decode(), errors.decode())

    async def succeed(self, *command: str, stdin: bytes = b"", answer: str | None = None) -> str:
        """The output of a command that has to succeed."""
        done = await self.run(*command, stdin=stdin, answer=answer)
        assert done.status == 0, done
        return done.output

    def _askpass(self, answer: str) -> Path:
        script = self.folder / "askpass"
        script.write_text(f"#!/bin/sh\necho '{answer}'\n")
        script.chmod(0o700)
        return script


@dataclass(frozen=True)
class Sshd:
    """A running sshd that lets the current user in with some keys."""

    folder: Path
    port: int
    fingerprint: str

    @classmethod
    @asynccontextmanager
    async def started(cls, folder: Path, authorized: list[str]) -> AsyncIterator[Self]:
        """`authorized` has lines of public keys."""
        _allow_root()
        programs = Programs(folder, folder / "no-agent")
        await programs.succeed("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key"))
        fingerprint = (await programs.succeed("ssh-keygen", "-l", "-f", str(folder / "host_key"))).split()[1]
        (folder / "authorized_keys").write_text("".join(f"{line}\n" for line in authorized))
        port = _free_port()
        config = folder / "sshd_config"
        config.write_text(_configuration(folder, port))
        process = await asyncio.create_subprocess_exec(
            program("sshd"),
            "-D",
            "-e",
            "-f",
            str(config),
            stderr=asyncio.subprocess.PIPE,
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            await asyncio.wait_for(_listens(process), CLIENT_TIME)
            yield cls(folder, port, fingerprint)
        finally:
            process.terminate()
            await process.communicate()

    def login(self, *arguments: str) -> tuple[str, ...]:
        """An ssh command line that uses only the agent's keys."""
        return (
            *("ssh", "-F", "none", "-p", str(self.port), "-o", "BatchMode=yes", "-o", "IdentityFile=none"),
            *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}", "-o", "StrictHostKeyChecking=no"),
            *("-o", "LogLevel=ERROR", *arguments[:-1], f"{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1", arguments[-1]),
        )


def _configuration(folder: Path, port: int) -> str:
    return f"""\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder / "host_key"}
PidFile none
AuthorizedKeysFile {folder / "authorized_keys"}
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowAgentForwarding yes
"""


def _allow_root() -> None:
    if os.getuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _listens(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    said = []
    while line := await process.stderr.readline():
        said.append(line)
        if b"Server listening on" in line:
            return
    raise AssertionError(f"sshd does not start: {said}")

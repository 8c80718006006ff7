"""Stock programs at a provider socket, and the stock module that takes them there."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from support.required import P11_KIT_CLIENT, check_program, library

# Seconds; a client that gets no answer waits for ever.
PATIENCE = 60


def module() -> str:
    """The path of the stock module."""
    return str(library(P11_KIT_CLIENT))


@asynccontextmanager
async def started(socket: Path, *command: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program at work in the socket's folder, for PATIENCE at most; gone at the end. Both streams are its stdout."""
    check_program(command[0])
    environment = os.environ | {"P11_KIT_SERVER_ADDRESS": f"unix:path={socket}"}
    pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=socket.parent, stdout=pipe, stderr=both
    )
    try:
        async with asyncio.timeout(PATIENCE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def run(socket: Path, *command: str) -> tuple[int, str]:
    """Exit status, and what the program said."""
    async with started(socket, *command) as process:
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()

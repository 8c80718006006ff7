"""Boxes that are put back from a copy, and who asks as an operator does then."""

import shutil
from pathlib import Path
from typing import Any

from fob_office.centre.bus.commands import Command
from fob_office.centre.bus.passes import Kind
from fob_office.centre.commands.function import RestoreMailer
from fob_office.centre.function.server import FunctionServer
from support.data_centre import DataCentre

ANY: Any = None


class Asker:
    """Asking, with a function server of the test."""

    def __init__(self, centre: DataCentre, server: FunctionServer) -> None:
        self._centre = centre
        self._server = server

    async def any(self, kind: Kind, command: Command[Any]) -> Any:
        """The first of a kind."""
        if isinstance(command, RestoreMailer):
            return await self._server.restore_mailer(ANY, command)
        return await self._centre.ask(f"{kind.word}-1", command)

    async def one(self, name: str, command: Command[Any]) -> Any:
        """A box."""
        return await self._centre.ask(name, command)


async def copied(centre: DataCentre, folder: Path, *names: str) -> None:
    """A backup of these boxes."""
    for name in names:
        await centre.stop(name)
        shutil.copytree(centre.folder / name, folder / name)
    for name in names:
        await centre.start(name)


async def put_back(centre: DataCentre, folder: Path, *names: str) -> None:
    """As they were then."""
    for name in names:
        await centre.stop(name)
        shutil.rmtree(centre.folder / name)
        shutil.copytree(folder / name, centre.folder / name)
    for name in names:
        await centre.start(name)

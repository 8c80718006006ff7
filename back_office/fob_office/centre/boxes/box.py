"""What a process of the data centre has when it runs; each kind makes its table of commands of it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from fob_office.centre.boxes.folder import BoxFolder
from fob_office.centre.boxes.identity import Identity
from fob_office.centre.boxes.vault import Vault
from fob_office.centre.bus.answering import Row, Table
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, Reply
from fob_office.centre.bus.passes import Kind, Party, Pass
from fob_office.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Box:
    """One process: `vault` derives of the masters of its kind, `links` ask others, `me.trust` knows the keys."""

    folder: BoxFolder
    identity: Identity = field(repr=False)
    me: Party = field(repr=False)
    vault: Vault = field(repr=False)
    links: Links = field(repr=False)
    surroundings: Surroundings = field(repr=False)

    @property
    def name(self) -> str:
        """As in its pass."""
        return self.identity.name

    @property
    def kind(self) -> Kind:
        """As in its pass."""
        return self.identity.kind

    @property
    def manufacturing(self) -> bytes:
        """The public key of the manufacturing box (raw): of passes and views."""
        return self.me.trust.manufacturing


# Opens what a kind needs, gives its table, and closes it again when the process ends.
Factory: TypeAlias = Callable[[Box], AbstractAsyncContextManager[Table]]


def guarded(folder: BoxFolder, table: Table) -> Table:
    """The same table; after the box was tampered with, every command is answered `tampered`."""
    return {command: Row(row.kinds, partial(_checked, folder, row)) for command, row in table.items()}


async def _checked(folder: BoxFolder, row: Row, peer: Pass, command: Command[Reply]) -> Reply:
    folder.check()
    reply = await row.handler(peer, command)
    # What was found in the middle of a command is not answered either.
    folder.check()
    return reply

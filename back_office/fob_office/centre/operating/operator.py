"""An operator of the data centre: its pass, and links to all processes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fob_office.centre.boxes.errors import TamperedError
from fob_office.centre.boxes.folder import open_folder
from fob_office.centre.boxes.identity import read_party
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.commands import Command, ReplyT
from fob_office.centre.bus.errors import AwayError, BusRefusedError, DirectoryError, DownError, PassError
from fob_office.centre.bus.passes import Kind
from fob_office.centre.function.peers import LinkedPeers
from fob_office.centre.next_step import STATUS, split_next
from fob_office.centre.places import MANUFACTURING, CentreSettings, load_centre
from fob_office.centre.supervising.lock import is_supervised
from fob_office.centre.view_file import ViewFile
from fob_office.centre.words import Word
from fob_office.errors import NotFoundError, OperatorError
from fob_office.surroundings import Surroundings
from fob_protocol.cose.errors import CoseError
from fob_protocol.office.errors import OfficeError

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Operator:
    """`peers`: any process of a kind, or the owner of a meter; `links`: one by its name."""

    centre: Path
    settings: CentreSettings
    surroundings: Surroundings
    manufacturing: bytes
    links: Links = field(repr=False)
    peers: LinkedPeers = field(repr=False)

    async def any(self, kind: Kind, command: Command[ReplyT]) -> ReplyT:
        """Raises BusRefusedError."""
        return await self.peers.any(kind, command)

    async def one(self, name: str, command: Command[ReplyT]) -> ReplyT:
        """Raises BusRefusedError, AwayError."""
        return await self.links.to(name).ask(command)

    def now(self) -> int:
        """Seconds since 1970."""
        return self.surroundings.clock()


@asynccontextmanager
async def operating(centre: Path, surroundings: Surroundings) -> AsyncIterator[Operator]:
    """Of the data centre in this folder. Raises OperatorError, TamperedError."""
    settings = load_centre(centre)
    folder = open_folder(centre / settings.operator, settings.operator, surroundings.random)
    me, directory = read_party(folder, centre, surroundings)
    manufacturing = me.trust.manufacturing
    links = Links(me, directory)
    try:
        peers = LinkedPeers(links, ViewFile(centre, manufacturing))
        yield Operator(centre, settings, surroundings, manufacturing, links, peers)
    finally:
        links.close()


def run_operator(
    centre: Path, surroundings: Surroundings, what: str, work: Callable[[Operator], Coroutine[Any, Any, ResultT]]
) -> ResultT:
    """What the work gives; `what` was not done where the data centre refuses. Raises OperatorError."""

    async def run() -> ResultT:
        async with operating(centre, surroundings) as operator:
            try:
                return await work(operator)
            except (DownError, BusRefusedError) as error:
                is_away = isinstance(error, DownError) or error.word == Word.UNAVAILABLE
                if not is_away or is_supervised(centre):
                    raise
                why, command = f"the data centre in {centre} does not run", f"fob-office run --state {centre.parent}"
                raise OperatorError(what, why, command) from None

    with told(what):
        return asyncio.run(run())


@contextmanager
def told(what: str) -> Iterator[None]:
    """How the bus ends, and what cannot be read, as an operator is told it."""
    try:
        yield
    except TamperedError as error:
        raise OperatorError(what, error.why, _instead(error.name)) from None
    except BusRefusedError as error:
        if error.word == Word.NO_METER:
            raise NotFoundError(what, error.why, "fob-office centre meter list") from None
        reason = split_next(error.why)
        raise OperatorError(what, f"{error.word}: {reason.why}", reason.command or STATUS) from None
    except (AwayError, DirectoryError, PassError) as error:
        raise OperatorError(what, str(error), STATUS) from None
    except (CoseError, OfficeError) as error:
        raise OperatorError(what, f"what is kept there cannot be read: {error}", STATUS) from None


def _instead(name: str) -> str:
    """What helps where a folder was changed."""
    if name == MANUFACTURING:
        return "fob-office centre init --state FOLDER    (another data centre: nothing replaces this box)"
    kind = name.rpartition("-")[0]
    stopped = "    (while nothing runs)" if kind == Kind.OPERATOR.word else ""
    return f"fob-office centre box add {kind}{stopped}"

"""A program: a meter box of few words, in the process that every box has. Arguments: its folder, the data centre's.

With a third one it runs in a process of its own, as the office starts workers.
"""

import asyncio
import multiprocessing
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fob_office.centre.boxes.box import Box
from fob_office.centre.boxes.duties import duties
from fob_office.centre.boxes.process import run_box
from fob_office.centre.boxes.separation import Purpose
from fob_office.centre.bus.answering import Table, row
from fob_office.centre.bus.commands import Command, Done, Reply
from fob_office.centre.bus.passes import Kind, Pass


class Signed(Reply, frozen=True):
    """A key that was derived, which no real box gives out."""

    key: bytes


class Sign(Command[Signed], frozen=True):
    """Derive the record key of a serial."""

    serial: str


class Look(Command[Done], frozen=True):
    """Read a file of the folder."""

    file: str


class Fail(Command[Done], frozen=True):
    """What the box does beside its answers fails from now on."""


@asynccontextmanager
async def small_box(box: Box) -> AsyncIterator[Table]:
    """Its Factory."""

    async def sign(peer: Pass, command: Sign) -> Signed:
        return Signed(box.vault.derive(Purpose.RECORD, command.serial))

    async def look(peer: Pass, command: Look) -> Done:
        box.folder.read(command.file)
        return Done()

    broken = asyncio.Event()

    async def fail(peer: Pass, command: Fail) -> Done:
        broken.set()
        return Done()

    async def work() -> None:
        await broken.wait()
        raise ValueError("what stands in a database")

    async with duties(work):
        yield {
            Sign: row([Kind.OPERATOR], sign),
            Look: row([Kind.OPERATOR], look),
            Fail: row([Kind.OPERATOR], fail),
        }


def run(path: Path, centre: Path) -> None:
    """Until it is told to end."""
    sys.exit(run_box(path, centre, {Kind.METER: small_box}))


def main() -> None:
    """As the arguments say."""
    places = Path(sys.argv[1]), Path(sys.argv[2])
    if len(sys.argv) == 3:
        run(*places)
    worker = multiprocessing.get_context("fork").Process(target=run, args=places)
    worker.start()
    worker.join()


if __name__ == "__main__":
    main()

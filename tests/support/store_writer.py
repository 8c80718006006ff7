"""A program that writes to a box's store until it is killed, and says on standard output what it was answered."""

import asyncio
import os
import sys
from pathlib import Path

from fob_office.centre.boxes.folder import open_folder
from fob_office.centre.boxes.rows import Row
from fob_office.centre.boxes.store import Store, open_store

WRITERS = 8


async def write(store: Store, writer: int) -> None:
    """The numbers from where it stands, each in two rows that belong together."""
    key = b"%d" % writer
    number = int(store.get("standing", key) or b"0")
    while True:
        number += 1
        octets = b"%d" % number
        await store.put_all([Row("standing", key, octets), Row("copy", key, octets)])
        os.write(1, b"%d %d\n" % (writer, number))


async def main(path: Path) -> None:
    """All writers at once."""
    store = open_store(open_folder(path, path.name, os.urandom))
    await asyncio.gather(*(write(store, writer) for writer in range(WRITERS)))


asyncio.run(main(Path(sys.argv[1])))

"""A database server in a process of its own, with the keys that tests know: `FOLDER URL`; it says `ready`."""

import asyncio
import sys
from pathlib import Path

from fob_office.centre.bus.answering import serve
from fob_office.centre.bus.asking import Links
from fob_office.centre.bus.passes import Kind
from fob_office.centre.database.keeping import open_keeper
from fob_office.centre.database.process import serving
from fob_office.http.orphans import end_with_parent
from fob_office.surroundings import SYSTEM
from support.centre import Centre
from support.centre_database import provider, signer

NAME = "database-1"


async def main(folder: Path, url: str) -> None:
    """Until it is killed."""
    centre = Centre(folder)
    me = centre.process(Kind.DATABASE, NAME).me
    with open_keeper(url) as keeper:
        links = Links(me, centre.directory())
        async with (
            serving(keeper, links, SYSTEM, signer, provider) as server,
            await serve(f"unix:{folder}/{NAME}", me, server.table()),
        ):
            print("ready", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    end_with_parent()
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))

"""`fob-device run --screen`: a phone whose person looks at its page."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from fob_device.own_office import OwnNetwork, connect
from fob_device.phone import Phone
from fob_device.screen.person import ScreenPerson
from fob_device.screen.web.serving import Place, serving_screen
from fob_device.screen.web.shown import Shown
from fob_device.serving import say, serve
from fob_device.state import open_phone
from fob_device.workbench.workbench import Workbench


def run_with_screen(state: Path, workbench: Workbench, place: Place, network: OwnNetwork | None = None) -> None:
    """Run the phone of a folder until it is stopped. Raises StartError."""
    shown = Shown(workbench)
    asyncio.run(serve(workbench, partial(_switched_on, state, shown, network), state, _told_where(shown, place)))


@contextmanager
def _switched_on(state: Path, shown: Shown, network: OwnNetwork | None) -> Iterator[Phone]:
    """The phone while it has power, locked at first. Raises StartError."""
    clock = shown.bench.clock
    memory = open_phone(state, clock)
    try:
        person = ScreenPerson(memory, os.urandom)
        phone = Phone(memory=memory, decider=person, random=os.urandom, wall_clock=clock)
        person.belong_to(phone)
        connect(phone, state, network)
        with shown.switched_on(phone, person):
            try:
                yield phone
            finally:
                person.leave()
    finally:
        memory.close()


@asynccontextmanager
async def _told_where(shown: Shown, place: Place) -> AsyncIterator[None]:
    """The page, its address on standard error. Raises StartError."""
    async with serving_screen(shown, place, os.urandom) as address:
        say(f"the screen is at {address}")
        yield

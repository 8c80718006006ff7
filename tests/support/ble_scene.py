"""Stories of a phone on the air and the computers around it, told in virtual time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bumble.core import ProtocolError

from fob_device.bonds import Bond
from fob_device.ports.ble.station import static_address
from fob_device.radio.radio import Radio
from support.ble_world import Handset, on_the_air, pair_over
from support.central import Central, central


class Scene:
    """A phone, the air, and computers that are switched on when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.radio = Radio(seed=1)
        self.handset = Handset(folder)
        self.address = static_address(self.handset.phone.identity.public)

    @asynccontextmanager
    async def computer(self, number: int = 1) -> AsyncIterator[Central]:
        """A computer; its number makes its address."""
        name = f"pc {number}"
        async with central(self.radio.attach(name), f"C0:00:00:00:00:{number:02X}") as pc:
            yield pc

    @asynccontextmanager
    async def phone_and_computer(self) -> AsyncIterator[Central]:
        """Both on, and connected."""
        async with on_the_air(self.handset.phone, self.radio), self.computer() as pc:
            await pc.connect(self.address)
            yield pc

    async def bonded_line(self, pc: Central) -> None:
        """Connect, bond and subscribe; nothing of section 5."""
        await pc.connect(self.address)
        await pc.bond()
        await pc.subscribe()

    async def paired(self, pc: Central, seed: int = 1) -> bytes:
        """All of it; the computer's static key. It stays connected."""
        await self.bonded_line(pc)
        return await pair_over(pc, seed)

    @property
    def bonds(self) -> list[Bond]:
        """What the phone has stored."""
        return self.handset.phone.bonds.all()


Story = Callable[[Scene], Coroutine[Any, Any, None]]
Tell = Callable[[Story], None]


async def refusal(attempt: Awaitable[object]) -> int | None:
    """The error code of ATT, SMP or HCI that an attempt ends with, None when it succeeds."""
    try:
        await attempt
    except ProtocolError as error:
        return error.error_code
    return None

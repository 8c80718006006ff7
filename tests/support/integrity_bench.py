"""A device whose office validates copies: three components, and its own program in a folder of the test."""

import random
import shutil
from collections.abc import Callable, Coroutine
from copy import copy
from pathlib import Path
from typing import Any, Final, TypeVar

from fob_device.integrity.copies import Copies
from fob_device.integrity.own_program import NAME
from fob_device.integrity.program import Program
from fob_device.integrity.standings import Standings
from fob_protocol.integrity.admission import NotEnabledError
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, INSTALLATION_POLICY, Policy
from fob_protocol.integrity.held_copy import HeldCopy
from fob_protocol.integrity.method import Method
from support.device_bench import DeviceBench, releases
from support.reference_integrity import METHOD, ReferenceIntegrity
from support.reference_office import ReferenceOffice
from support.virtual_loop import run_virtually

T = TypeVar("T")

OWN: Final = b"the device's own program" * 100
LASTING: Final = Policy(lifetime=86_400, interval=3600, grace=7200, rolls=True)


def validating_office(
    *, method: Method = METHOD, policy: Policy = COMPONENT_POLICY, own: Policy = INSTALLATION_POLICY,
    known: tuple[str, ...] = ("table", "echo", "looping"), is_one: bool = False,
) -> ReferenceOffice:  # fmt: skip
    """Three components are ordered, of which the distribution server knows some."""
    office = ReferenceOffice()
    office.order = releases(office)
    integrity = office.with_integrity(is_one=is_one)
    for released in office.order:
        if released.id in known:
            integrity.knows(released.id, released.content, method=method, policy=policy)
    integrity.knows(NAME, OWN, (0, 1, 0), policy=own)
    return office


class IntegrityBench(DeviceBench):
    """`own_octets` is what stands in its own installation."""

    def __init__(self, folder: Path, office: ReferenceOffice | None = None) -> None:
        super().__init__(folder, office or validating_office())
        self.own_octets = OWN
        self.is_away = False
        self.own = Program(NAME, (0, 1, 0), None, lambda: self.own_octets)

    @property
    def integrity(self) -> ReferenceIntegrity:
        assert self.office.integrity is not None
        return self.office.integrity

    @property
    def copies(self) -> Copies:
        return self.back_office.copies

    @property
    def standings(self) -> Standings:
        return self.back_office.standings

    def copy(self, program: str) -> HeldCopy:
        held = self.standings.copy(program)
        assert held is not None
        return held

    @property
    def words(self) -> dict[str, str]:
        """How each program stands."""
        return {program.name: self.standings.word(program.name) for program in self.standings.programs}

    async def validated(self) -> None:
        """Nothing is asked any more."""
        await self.until(lambda: self.is_at_rest and self.copies.seconds_until_due != 0)

    async def use(self, program: str) -> str:
        """How a use of it ends: `used`, or the word by which it is refused."""
        try:
            await (self.copies.admit_own() if program == NAME else self.copies.admit(program))
        except NotEnabledError as error:
            return error.word
        return "used"

    def away(self, is_away: bool = True) -> None:
        """The office cannot be reached, until it can."""
        self.is_away = is_away
        self.post.is_away = is_away

    def switch_on(self) -> None:
        super().switch_on()
        self.post.is_away = self.is_away

    async def clone(self, folder: Path) -> "IntegrityBench":
        """Another device made of all that is on this one's disk. Both are on: this one was validated first."""
        await self.switch_off()
        shutil.copytree(self.folder, folder)
        other = copy(self)
        other.folder, other.random = folder, random.Random(99)
        other.own = Program(NAME, (0, 1, 0), None, lambda: other.own_octets)
        await self.start()
        await other.start()
        return other

    async def start(self) -> None:
        """On again, with what is on its disk, and nothing is asked any more."""
        self.memory = self._open()
        self.switch_on()
        await self.validated()

    async def restart(self) -> None:
        """Off and on."""
        await self.switch_off()
        await self.start()

    def damage(self, program: str) -> None:
        """An octet of what is stored is another one."""
        (released,) = (one for one in self.office.order or () if one.id == program)
        path = self.folder / "components" / f"content-{released.digest.hex()}"
        octets = bytearray(path.read_bytes())
        octets[-1] ^= 1
        path.write_bytes(octets)


Story = Callable[[IntegrityBench], Coroutine[Any, Any, T]]


def on_integrity_bench(folder: Path, story: Story[T], office: ReferenceOffice | None = None) -> T:
    """A story of a device that is made and switched on, in virtual time."""

    async def whole() -> T:
        bench = IntegrityBench(folder, office)
        bench.switch_on()
        try:
            return await story(bench)
        finally:
            await bench.switch_off()

    return run_virtually(whole())

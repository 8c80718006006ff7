"""A device that runs a table and a module, and is to get one module more, while somebody is in the way."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from fob_device.office.back_office import name_of
from fob_device.office.carrier import NotCarriedError
from fob_device.office.configuring import NotInstalledError
from fob_protocol.office.configuration import Chunk, Granted, Outcome, Purpose
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.message import read
from support.device_bench import DeviceBench, echo_module, releases
from support.office_signers import Draft, Released, Server

BEFORE: Final = ["table", "echo"]
AFTER: Final = [*BEFORE, "looping"]

_REFUSALS: Final = (OfficeError, RefusedError, NotCarriedError, NotInstalledError)


class Siege:
    """An honest office answers until a test says otherwise; `granted` is the body by which the first set came."""

    def __init__(self, bench: DeviceBench) -> None:
        self.bench = bench
        self.office = bench.office
        self.signers = bench.office.signers
        self.granted = b""
        self._order = releases(bench.office)
        self._genuine = self.signers.configuration

    async def begin(self) -> None:
        """The first set is installed, and everything that comes is overheard."""
        self.office.order = self._order[:2]
        self.office.spoil_body = self._overhear
        await self.bench.at_rest()
        self.office.order = self._order
        assert self.still_runs

    @property
    def still_runs(self) -> bool:
        """What was installed, and nothing else: it is called, too."""
        echo = self.bench.back_office.options.command("+XECHO")
        return self.bench.installed == BEFORE and echo is not None and echo.call((1,)) == (1,)

    async def refusal(self) -> str:
        """By which name the device refuses what comes of a question for its configuration; "" when it does not."""
        try:
            await self.bench.back_office.configure(Purpose.AGAIN)
        except _REFUSALS as error:
            return name_of(error)
        return ""

    def end(self) -> None:
        """The office is honest again."""
        self.office.spoil_draft = lambda draft: None
        self.office.spoil_body = lambda service, body: body
        self.office.spoil_sealed = lambda service, sealed: sealed
        self.signers.configuration = self._genuine
        self.office.list_number = max(self.office.list_number, 1)
        self.bench.post.failures = []
        # A server whose key was revoked has released everything anew.
        self.office.order = releases(self.office) if self.office.revoked else self._order

    async def told(self, count: int) -> tuple[Outcome, str]:
        """What the office hears became of the last of so many sets."""
        await self.bench.until(lambda: len(self.office.reports) == count)
        return self.office.reports[-1].outcome, self.office.reports[-1].reason

    async def restart(self) -> None:
        """The power goes and comes."""
        await self.bench.power_cut()
        await self.bench.back_office.started.wait()

    async def configure(self) -> bool:
        """Whether what an honest office grants runs."""
        await self.bench.back_office.configure(Purpose.AGAIN)
        return self.bench.installed == AFTER

    # What attackers do.

    def spoil_set(self, spoil: Callable[[Draft], object]) -> None:
        """Whoever has the configuration server's key signs another set."""

        def spoiled(draft: Draft) -> None:
            spoil(draft)

        self.office.spoil_draft = spoiled

    def spoil_chunks(self, spoil: Callable[[bytes], bytes]) -> None:
        """Whoever answers for the content service sends other chunks."""

        def spoiled(service: Service, body: bytes) -> bytes:
            return Chunk(spoil(read(Chunk, body).data)).octets() if service is Service.CONTENT else body

        self.office.spoil_body = spoiled

    def looping(self, by: Server | None = None, content: bytes | None = None, **changes: object) -> Released:
        """The module that is to come, or something near to it."""
        good: dict[str, object] = {"commands": ("XLOOP",)}
        octets = echo_module() if content is None else content
        return self.signers.release_by(by or self.signers.releases, "looping", octets, **(good | changes))

    def without_key(self, server: Server) -> Server:
        """Its certificate, which everybody has, and another key."""
        return replace(server, signing_key=self.signers.signing_key())

    def _overhear(self, service: Service, body: bytes) -> bytes:
        # The tag of a Granted.
        if service is Service.CONFIGURATION and body[1:2] == b"\x02":
            self.granted = read(Granted, body).octets()
        return body


def put(draft: Draft, index: int, released: Released) -> None:
    """Another release in the place of one, with all that the set says of it."""
    draft.released[index] = released
    draft.entry(index, component=released.id, release=released.digest)

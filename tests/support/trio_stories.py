"""What three programs go through: a configuration or a registration in which one of them is killed; and how it ends."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from fob_daemon.control.errors import ControlError
from fob_device.components.boot_record import Phase
from fob_office.registration.tables import Standing
from support.gate import Moment
from support.nursery import Nursery
from support.trio import COMPONENTS, FIELDS, SERVER, Made, Party, Trio, trio_of
from support.trio_states import read_device, read_office

T = TypeVar("T")

# The exchanges of a conversation that nobody disturbs, by service. A new one makes all that follows longer.
# Whenever a device starts, its copies are validated, each by two messages.
COPIES = ("distribution", *["validation"] * 2 * COMPONENTS)
FIRST_CONFIGURATION = (
    "directory", "configuration", "configuration", *["content"] * COMPONENTS, "report", *COPIES
)  # fmt: skip
REGISTRATION = (*COPIES, "directory", "registration", "registration", "registration", "session", "session", "session")
# Of the chunks the first, one in the middle, and the last; of the validations the first and the last message.
CONFIGURATION_POINTS = (1, 2, 3, 4, 6, 9, 10, 11, 12, 13, 23)
REGISTRATION_POINTS = tuple(range(len(COPIES) + 1, len(REGISTRATION) + 1))

# FOB_POWER_CUTS=all: each party dies before and after each message; otherwise at each one, by turns before or after.
THOROUGH = os.environ.get("FOB_POWER_CUTS") == "all"

# Seconds for a whole story on a machine that has other things to do.
STORY_TIME = 20.0
# So many stories go on at once: most of their time they wait for a second to pass.
AT_ONCE = 7


async def configure(trio: Trio) -> None:
    """Nobody does anything but start programs."""
    await trio.start_all()
    await trio.until_configured()


async def register(trio: Trio) -> None:
    """A person looks at what it takes, and registers, when the device has nothing else to do."""
    await trio.start_all()
    await trio.until_validated()
    await trio.until_ready()
    await with_one_retry(trio, trio.look)
    await with_one_retry(trio, trio.register)


async def with_one_retry(trio: Trio, deed: Callable[[], object]) -> None:
    """Whoever was told that it was not done does it again, once everybody is there."""
    try:
        await trio.ask(deed)
    except ControlError:
        await trio.until_mended()
        await trio.ask(deed)


def check_configured_once(trio: Trio) -> None:
    """Device and office say the same, nothing is left over, and no counter was used twice or for nothing."""
    device, office = read_device(trio.scratch.phone), read_office(trio.scratch.office)
    record = device.record
    assert record.confirmed is not None
    assert (record.phase, record.confirmed.set_number, record.candidate, record.tries) == (Phase.IDLE, 1, None, 0)
    # Granted, fetched, begun, confirmed, reported.
    assert (record.number, record.ended) == (5, None)
    assert (device.is_configured, device.begun) == (True, ())
    assert len(record.catalogue) == COMPONENTS
    assert device.files == {"boot": 2, "set": 1, "content": COMPONENTS}
    assert tuple(sorted(record.catalogue, key=lambda one: one.id)) == office.installed
    assert (office.set_number, office.offered, office.kept_answers) == (1, ((1, 1),), 1)
    # A request, a report, and who asks for copies; that one counts on from the time, and no number is left over.
    assert (office.asked, office.reported) == (1, 2)
    assert device.counter == office.copies > office.reported
    assert trio.words_of(Party.OFFICE).count("outcome=confirmed") == 1


def check_registered_once(trio: Trio) -> None:
    """One registration that both sides know, and nothing of what led to it."""
    device, office = read_device(trio.scratch.phone), read_office(trio.scratch.office)
    [registration] = device.registrations
    assert (registration.server, registration.name, device.begun) == (SERVER, FIELDS["name"], ())
    assert registration.version == 1
    assert office.registrations == {registration.user_code: (FIELDS["name"], Standing.CONFIRMED)}
    assert (office.secrets_left, office.wrong_proofs) == (0, 0)


@dataclass(frozen=True)
class Story:
    """What happens, in what exchanges, and how it ends: `check` is asked when all is off."""

    made: Made
    goes_on: Callable[[Trio], Awaitable[None]]
    check: Callable[[Trio], None]

    async def undisturbed(self, programs: Nursery) -> list[str]:
        """The exchanges."""
        async with self._told(programs) as trio:
            return trio.gate.asked

    async def disturbed(self, programs: Nursery, number: int, moment: Moment, party: Party) -> list[str]:
        """A party dies at an exchange, and is started again."""
        async with self._told(programs, lambda trio: trio.strike(number, moment, party)) as trio:
            assert trio.gate.struck.is_set()
            return trio.gate.asked

    @asynccontextmanager
    async def _told(
        self, programs: Nursery, prepare: Callable[[Trio], None] = lambda trio: None
    ) -> AsyncIterator[Trio]:
        async with trio_of(programs, self.made) as trio:
            prepare(trio)
            try:
                async with asyncio.timeout(STORY_TIME):
                    await self._happens(trio)
                trio.close()
                self.check(trio)
            except Exception as error:
                error.add_note(f"{trio.gate.asked}\n" + "".join(f"{party}:\n{trio.words_of(party)}" for party in Party))
                raise
            yield trio

    async def _happens(self, trio: Trio) -> None:
        mending = asyncio.create_task(trio.mend())
        try:
            await self.goes_on(trio)
            if trio.gate.struck.is_set():
                await mending
        finally:
            mending.cancel()


def points_of(numbers: tuple[int, ...], party: Party, moment: Moment) -> tuple[int, ...]:
    """At which of these exchanges a party dies at this moment."""
    return numbers if THOROUGH else numbers[(list(Party).index(party) + list(Moment).index(moment)) % 2 :: 2]


async def each(points: Iterable[T], tell: Callable[[T], Awaitable[object]]) -> None:
    """Several stories at once; what goes wrong says at which point."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(point: T) -> None:
        async with room:
            try:
                await tell(point)
            except Exception as error:
                error.add_note(f"at {point}")
                raise

    results = await asyncio.gather(*(one(point) for point in points), return_exceptions=True)
    if wrong := [result for result in results if isinstance(result, Exception)]:
        raise ExceptionGroup("not one state", wrong)

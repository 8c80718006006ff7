"""Many mailers at once at a data centre, from the bench's own process: throughput, latency, errors, processor time."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Final

from fob_office.centre.communication.asking import CentreAsker, CentreAwayError
from fob_protocol.metering.answers import Franked, Loaded, SignedUp
from fob_protocol.office.envelope import Asked
from fob_protocol.office.errors import OfficeError, RefusedError
from fob_protocol.office.message import Message, MessageT, read
from meter_mailers import Mailer
from meter_stage import Centre

# Sign-ups at once: Argon2 takes memory in the authentication boxes.
_JOINING: Final = 8
# On each new meter, in cents.
MONEY: Final = 10_000_000
_MS: Final = 1000


@dataclass
class Run:
    """What came of so many questions: `seconds` of each, `took` for all; processor seconds by kind of process."""

    seconds: list[float] = field(default_factory=list)
    took: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Questions answered in a second."""
        return (len(self.seconds) - self.errors.total()) / self.took

    def percentile(self, percent: int) -> float:
        """Milliseconds."""
        return quantiles(self.seconds, n=100, method="inclusive")[percent - 1] * _MS

    @property
    def cpu_ms(self) -> dict[str, float]:
        """For each question, by kind of process."""
        return {kind: seconds / len(self.seconds) * _MS for kind, seconds in self.cpu.items()}


class Crowd:
    """Mailers with money at one data centre."""

    def __init__(self, centre: Centre, count: int) -> None:
        self.centre = centre
        self.mailers = [Mailer(centre.counter, f"mailer-{number}") for number in range(count)]
        joined = self._ask([[mailer.sign_up()] for mailer in self.mailers], SignedUp, _JOINING)
        for mailer, (answer,) in zip(self.mailers, joined, strict=True):
            mailer.keep(answer)
        self._ask([[mailer.load(MONEY)] for mailer in self.mailers], Loaded, _JOINING)

    def frank(self, at_once: int, count: int, pieces: int) -> Run:
        """So many franks of so many pieces; each mailer asks for one thing at a time."""
        return self._measure(lambda mailer: mailer.frank(pieces), Franked, at_once, count)

    def load(self, at_once: int, count: int) -> Run:
        """So many loads."""
        return self._measure(lambda mailer: mailer.load(100), Loaded, at_once, count)

    def _measure(self, make: Callable[[Mailer], Asked], answer: type[Message], at_once: int, count: int) -> Run:
        """All is sealed before, and opened after time was taken."""
        queues = [[make(mailer) for _ in range(max(1, count // at_once))] for mailer in self.mailers[:at_once]]
        run = Run()
        before = self.centre.cpu_seconds()
        sealed = asyncio.run(_ask_all(self.centre, queues, at_once, run))
        run.cpu = {kind: now - before.get(kind, 0.0) for kind, now in self.centre.cpu_seconds().items()}
        for queue, octets in zip(queues, sealed, strict=True):
            for asked, given in zip(queue, octets, strict=True):
                _judge(run, asked, given, answer)
        return run

    def _ask(self, queues: Sequence[Sequence[Asked]], answer: type[MessageT], at_once: int) -> list[list[MessageT]]:
        """Raises RefusedError, CentreAwayError."""
        sealed = asyncio.run(_ask_all(self.centre, queues, at_once, Run()))
        return [
            [read(answer, asked.open(given or b"").body) for asked, given in zip(queue, octets, strict=True)]
            for queue, octets in zip(queues, sealed, strict=True)
        ]


def _judge(run: Run, asked: Asked, given: bytes | None, answer: type[Message]) -> None:
    if given is None:
        run.errors["away"] += 1
        return
    try:
        read(answer, asked.open(given).body)
    except RefusedError as refused:
        run.errors[refused.refusal.name] += 1
    except OfficeError as error:
        run.errors[error.why] += 1


async def _ask_all(
    centre: Centre, queues: Sequence[Sequence[Asked]], at_once: int, run: Run
) -> list[list[bytes | None]]:
    """What comes back to each; nothing where the data centre was away."""
    asker = CentreAsker(centre.folder)
    room = asyncio.Semaphore(at_once)
    began = time.perf_counter()
    try:
        return await asyncio.gather(*(_ask_in_turn(asker, queue, room, run) for queue in queues))
    finally:
        run.took = time.perf_counter() - began
        asker.close()


async def _ask_in_turn(
    asker: CentreAsker, queue: Sequence[Asked], room: asyncio.Semaphore, run: Run
) -> list[bytes | None]:
    answers: list[bytes | None] = []
    for asked in queue:
        async with room:
            began = time.perf_counter()
            try:
                answers.append(await asker.ask(asked.sealed))
            except CentreAwayError:
                answers.append(None)
            run.seconds.append(time.perf_counter() - began)
    return answers

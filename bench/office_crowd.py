"""Devices that take each step together: their crypto before and after it, and between only the office's work.

So the office is measured, and not devices that compute on the same processors.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from statistics import quantiles
from typing import Final

from greenlet import greenlet

from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import OfficeError, RefusedError
from office_stage import Stage
from support.office_life import Life, Line

OK: Final = 200
MS: Final = 1000


@dataclass
class Step:
    """One step of all devices. `seconds`: of each exchange, from the question's first octet to the answer's last."""

    name: str
    seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    refusals: int = 0
    took: float = 0.0
    office_cpu: float = 0.0
    database_cpu: float = 0.0

    @property
    def cpu(self) -> float:
        """Of office and database, for one exchange, in seconds."""
        return (self.office_cpu + self.database_cpu) / len(self.seconds)

    @contextmanager
    def measured(self, stage: Stage) -> Iterator[None]:
        """What the block takes is added."""
        office, database = stage.cpu_seconds()
        began = time.perf_counter()
        yield
        self.took += time.perf_counter() - began
        office_after, database_after = stage.cpu_seconds()
        self.office_cpu += office_after - office
        self.database_cpu += database_after - database

    def as_data(self) -> dict[str, float | int | str]:
        """Times in milliseconds, processor times for one exchange."""
        count = len(self.seconds)
        cuts = quantiles(self.seconds, n=100)
        return {
            "step": self.name, "count": count, "errors": self.errors.total(), "refusals": self.refusals,
            "p50": cuts[49] * MS, "p95": cuts[94] * MS, "p99": cuts[98] * MS, "per second": count / self.took,
            "office": self.office_cpu / count * MS, "database": self.database_cpu / count * MS,
        }  # fmt: skip


@dataclass(frozen=True)
class _Question:
    step: str
    service: Service
    sealed: bytes


class _NotAnsweredError(Exception):
    """Its device gives up."""


class _Device:
    """A life that stands still at each question until it has the answer; None is its end, or no answer."""

    def __init__(self, life: Life) -> None:
        self.is_refused = False
        self._life = life
        self._thread = greenlet(self._live)
        self.question: _Question | None = self._thread.switch()

    def go_on(self, answer: bytes | None) -> None:
        """To its next question."""
        self.question = self._thread.switch(answer)

    def _live(self) -> None:
        try:
            self._life.live(self._ask)
        except (RefusedError, OfficeError):
            self.is_refused = True
        except _NotAnsweredError:
            pass

    def _ask(self, step: str, service: Service, sealed: bytes) -> bytes:
        assert self._thread.parent is not None
        answer = self._thread.parent.switch(_Question(step, service, sealed))
        if not isinstance(answer, bytes):
            raise _NotAnsweredError
        return answer


@dataclass
class Crowd:
    """Asks over `at_once` connections. `crypto_cpu`: what the devices compute, `client_cpu`: who asks; in seconds."""

    stage: Stage
    at_once: int
    steps: dict[str, Step] = field(default_factory=dict)
    crypto_cpu: float = 0.0
    client_cpu: float = 0.0

    def live(self, lives: Sequence[Life]) -> None:
        """From their first question to their last."""
        began = time.process_time()
        devices = [_Device(life) for life in lives]
        self.crypto_cpu += time.process_time() - began
        while waiting := [device for device in devices if device.question is not None]:
            with ExitStack() as stack:
                # New ones for each step: the office hangs up on who says nothing while the devices compute.
                lines = [stack.enter_context(closing(self.stage.line())) for _ in range(self.at_once)]
                self._take_step(lines, waiting)

    def _take_step(self, lines: Sequence[Line], devices: Sequence[_Device]) -> None:
        questions = [device.question for device in devices if device.question is not None]
        name = questions[0].step
        assert {question.step for question in questions} == {name}
        step = self.steps.setdefault(name, Step(name))
        began = time.process_time()
        with step.measured(self.stage):
            answers = _exchange(lines, questions, step)
        asked = time.process_time()
        for device, answer in zip(devices, answers, strict=True):
            device.go_on(answer)
            step.refusals += device.is_refused
        self.client_cpu += asked - began
        self.crypto_cpu += time.process_time() - asked


def _exchange(lines: Sequence[Line], questions: Sequence[_Question], step: Step) -> list[bytes | None]:
    """All of them, each line one after the other; None where there was no answer. Errors by their names."""
    answers: list[bytes | None] = [None] * len(questions)
    numbers = iter(range(len(questions)))

    def work(line: Line) -> None:
        # A number is taken by one thread only: next() of a range is one step of the interpreter.
        for number in numbers:
            began = time.perf_counter()
            try:
                answers[number] = _answer(line, questions[number])
            except (OSError, HTTPException) as error:
                step.errors[str(error) or type(error).__name__] += 1
                line.close()
            step.seconds.append(time.perf_counter() - began)

    with ThreadPoolExecutor(len(lines)) as pool:
        list(pool.map(work, lines))
    return answers


def _answer(line: Line, question: _Question) -> bytes:
    """Raises OSError, HTTPException."""
    status, octets = line.post(question.service, question.sealed)
    if status != OK:
        raise HTTPException(f"status {status}")
    return octets

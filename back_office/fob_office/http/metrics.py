"""Counts and times of questions, for Prometheus. With several workers the numbers are those of all of them.

Labels are names of services and of refusals, so nothing that a device sends makes a new one.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response

from fob_office.http.problems import ProblemError
from fob_protocol.office.envelope import Service
from fob_protocol.office.refusals import Refusal

# prometheus_client's own variable: a folder in which workers leave their numbers for each other.
FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
# What became of a question over HTTP; refusals are counted beside it, by their names.
ANSWERED: Final = "answered"

# It has no types of its own.
_COLLECT_ALL: Final[Callable[[CollectorRegistry], object]] = MultiProcessCollector


class Metrics:
    """What one worker counts."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self.ticks = ticks
        self._registry = CollectorRegistry()
        self._questions = Counter(
            "fob_office_questions", "Questions by what became of them.", ["service", "outcome"], registry=self._registry
        )
        self._refusals = Counter(
            "fob_office_refusals", "Answers that say no, by code.", ["service", "code"], registry=self._registry
        )
        self._seconds = Histogram(
            "fob_office_question_seconds", "From the whole question to its answer.", ["service"],
            registry=self._registry, buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
        )  # fmt: skip

    @contextmanager
    def question(self, service: Service) -> Iterator[None]:
        """While one is answered: how long it took, and how it ended."""
        began, outcome = self.ticks(), ANSWERED
        try:
            yield
        except ProblemError as error:
            outcome = error.code
            raise
        finally:
            self._questions.labels(service.value, outcome).inc()
            self._seconds.labels(service.value).observe(self.ticks() - began)

    def refused(self, service: Service, code: Refusal) -> None:
        """An answer that says no."""
        self._refusals.labels(service.value, code.value).inc()

    def text(self) -> bytes:
        """As Prometheus reads it."""
        if FOLDER_VARIABLE not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        _COLLECT_ALL(registry)
        return generate_latest(registry)


def metrics_routes(metrics: Metrics, more: Callable[[], bytes]) -> APIRouter:
    """Behind a token: how many register is nobody else's business. `more`: what others have to say."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/metrics", summary="Counts and times", operation_id="metrics", response_class=Response,
        responses={200: {"description": "For Prometheus.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    def get_metrics() -> Response:
        return Response(metrics.text() + more(), media_type=CONTENT_TYPE_LATEST)

    return router

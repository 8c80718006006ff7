"""What there is to say of the data centre to Prometheus. Labels are names of processes, and words of the protocol."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from fob_office.centre.places import centre_folder
from fob_office.centre.seen import Seen, see_centre

LabelsT = TypeVar("LabelsT", bound=tuple[str, ...])
_NONE: tuple[str, ...] = ()


def centre_text(state: Path) -> bytes:
    """As Prometheus reads it; nothing for an office without a data centre. Raises OSError."""
    seen = see_centre(state, centre_folder(state))
    if seen is None:
        return b""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(seen))
    return generate_latest(registry)


class _Collected(Collector):
    """One look."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        yield _gauge("ready", "Whether all processes answer.", int(self._seen.state == "ready"))
        yield from _of_processes(self._seen)
        yield from _of_work(self._seen)


def _of_processes(seen: Seen) -> Iterator[Metric]:
    status, figures = seen.status, seen.figures
    if status is None:
        return
    states = Counter((process.kind, process.state) for process in status.processes)
    yield _gauges("processes", "Processes by kind and state.", ("kind", "state"), states)
    restarts = {(process.name,): process.restarts for process in status.processes}
    yield _counters(
        "restarts", "Of a process that nobody told to start anew, since its supervisor began.", ("process",), restarts
    )
    owned = {(process.name,): process.slots for process in status.processes if process.slots is not None}
    yield _gauges("slots", "Parts of all meters that a meter box owns, of 64.", ("process",), owned)
    yield _gauge("slots_alone", "Parts of all meters that no other box would take over.", status.alone)
    yield _counters("failovers", "Views by which another box owned meters.", (), {_NONE: figures.failovers})


def _of_work(seen: Seen) -> Iterator[Metric]:
    figures = seen.figures
    if figures.log_size is not None and figures.checkpoint is not None:
        yield _gauge("log_entries", "Of the newest checkpoint.", figures.log_size)
        yield _gauge("checkpoint_seconds", "When the newest checkpoint was signed.", figures.checkpoint)
    yield _gauge("warnings", "What was refused that should not have come.", figures.warnings)
    served = figures.functions.items()
    done = {(name, deed): count for name, one in served for deed, count in one.done.items()}
    yield _counters("done", "What devices asked and had.", ("process", "deed"), done)
    yield _counters("pieces", "Pieces that were franked.", ("process",), {(name,): one.pieces for name, one in served})
    refused = {(name, code): count for name, one in served for code, count in one.refused.items()}
    yield _counters("refusals", "Answers that say no, by code.", ("process", "code"), refused)
    carried = figures.communication.items()
    asked = {(name,): one.questions for name, one in carried}
    yield _counters("questions", "Questions that came in.", ("process",), asked)
    unanswered = {(name,): one.unanswered for name, one in carried}
    yield _counters("unanswered", "Questions that no function server answered.", ("process",), unanswered)
    waiting = {(name,): one.waiting for name, one in carried}
    yield _gauges("waiting", "Questions in hand now.", ("process",), waiting)


def _gauge(name: str, words: str, value: int) -> Metric:
    return GaugeMetricFamily(f"fob_centre_{name}", words, value=value)


def _gauges(name: str, words: str, labels: Iterable[str], values: Mapping[LabelsT, int]) -> Metric:
    return _filled(GaugeMetricFamily(f"fob_centre_{name}", words, labels=tuple(labels)), values)


def _counters(name: str, words: str, labels: Iterable[str], values: Mapping[LabelsT, int]) -> Metric:
    return _filled(CounterMetricFamily(f"fob_centre_{name}", words, labels=tuple(labels)), values)


def _filled(
    family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[LabelsT, int]
) -> Metric:  # fmt: skip
    for labels, value in sorted(values.items()):
        family.add_metric(list(labels), value)
    return family

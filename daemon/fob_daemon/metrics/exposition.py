"""The daemon's numbers in Prometheus' text format. Imported when somebody asks: its library costs 3 MB."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from fob_daemon.control.integrity_reports import OwnCopyReport
from fob_daemon.control.interface import ClientSocket, DeviceReport, DeviceState, StatusReport
from fob_daemon.metrics.tally import BUCKETS, Tally, Times
from fob_protocol.pkcs11.ckr import Ckr

# What a device's person makes of a use: a no, or no answer before the question was over or withdrawn.
REFUSALS: Final = {
    f"CKR_{Ckr.FUNCTION_REJECTED.name}": "refused",
    f"CKR_{Ckr.FUNCTION_CANCELED.name}": "unanswered",
}

# Counters of a device's link: name, help, labels behind `device`, value.
_LINK: Final[tuple[tuple[str, str, tuple[tuple[str, str], ...], Callable[[DeviceReport], int]], ...]] = (
    ("fob_link_round_trips", "Requests answered by the device.", (), lambda d: d.round_trips),
    ("fob_link_octets", "Octets on the line.", (("direction", "sent"),), lambda d: d.bytes_sent),
    ("fob_link_octets", "Octets on the line.", (("direction", "received"),), lambda d: d.bytes_received),
    ("fob_link_sent_again", "Requests sent more than once.", (), lambda d: d.sent_again),
    ("fob_link_damaged_frames", "Frames that arrived damaged.", (), lambda d: d.damaged),
    ("fob_link_reconnects", "Sessions after the first.", (), lambda d: d.reconnects),
)


def exposition(status: StatusReport, tally: Tally, own: OwnCopyReport) -> bytes:
    """Everything, as it is now."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Once([*_daemon(status), *_links(status.devices), *_uses(tally), *_relays(tally), *_copies(tally), *_own(own)])
    )
    text: bytes = generate_latest(registry)
    return text


class _Once(Collector):
    """Metrics that were collected already."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _daemon(status: StatusReport) -> Iterator[Metric]:
    build = GaugeMetricFamily("fob_build_info", "The daemon's version.", labels=("version",))
    build.add_metric((status.version,), 1)
    yield build
    yield GaugeMetricFamily("fob_uptime_seconds", "Since the daemon started.", value=status.uptime_s)
    clients = GaugeMetricFamily("fob_clients", "Programs that are connected.", labels=("socket",))
    for socket in ClientSocket:
        clients.add_metric((socket.value,), sum(client.socket is socket for client in status.clients))
    yield clients


def _links(devices: Iterable[DeviceReport]) -> Iterator[Metric]:
    devices = tuple(devices)
    up = GaugeMetricFamily("fob_link_up", "1 while programs can use the device.", labels=("device",))
    state = GaugeMetricFamily("fob_link_state", "1 for the state that the link is in.", labels=("device", "state"))
    for device in devices:
        up.add_metric((device.name,), device.state is DeviceState.READY)
        for possible in DeviceState:
            state.add_metric((device.name, possible.value), device.state is possible)
    yield up
    yield state
    counters: dict[str, CounterMetricFamily] = {}
    for name, words, labels, value in _LINK:
        if name not in counters:
            counters[name] = CounterMetricFamily(name, words, labels=("device", *(label for label, _ in labels)))
        for device in devices:
            counters[name].add_metric((device.name, *(text for _, text in labels)), value(device))
    yield from counters.values()


def _uses(tally: Tally) -> Iterator[Metric]:
    uses = CounterMetricFamily("fob_key_uses", "Uses of keys.", labels=("device", "operation", "result"))
    refusals = CounterMetricFamily("fob_refusals", "Uses that the phone refused.", labels=("device", "reason"))
    refused: dict[tuple[str, str], int] = {}
    for (device, operation, result), count in sorted(tally.uses.items()):
        uses.add_metric((device, operation, result), count)
        if result in REFUSALS:
            key = device, REFUSALS[result]
            refused[key] = refused.get(key, 0) + count
    for labels, count in refused.items():
        refusals.add_metric(labels, count)
    yield uses
    yield refusals
    yield _by_device("fob_prompts", "Requests that waited for the phone's person.", tally.prompts)
    yield _by_device("fob_grants", "Times that a yes was remembered.", tally.grants)
    yield _by_device("fob_grants_revoked", "Times that one was taken back.", tally.revocations)
    times = HistogramMetricFamily("fob_key_use_seconds", "From request to answer.", labels=("device", "operation"))
    for (device, operation), each in sorted(tally.times.items()):
        times.add_metric((device, operation), _cumulative(each), each.total)
    yield times


def _relays(tally: Tally) -> Iterator[Metric]:
    questions = CounterMetricFamily("fob_relayed", "Questions carried to the office.", labels=("device", "result"))
    for labels, count in sorted(tally.relayed.items()):
        questions.add_metric(labels, count)
    yield questions
    times = HistogramMetricFamily("fob_relay_seconds", "From question to answer.", labels=("device",))
    for device, each in sorted(tally.relay_times.items()):
        times.add_metric((device,), _cumulative(each), each.total)
    yield times


def _copies(tally: Tally) -> Iterator[Metric]:
    states = CounterMetricFamily("fob_copies", "Copies of programs that came to a state.", labels=("device", "state"))
    for labels, count in sorted(tally.copies.items()):
        states.add_metric(labels, count)
    yield states


def _own(own: OwnCopyReport) -> Iterator[Metric]:
    yield GaugeMetricFamily("fob_own_copy_enrolled", "1 where fobd is validated.", value=own.enrolled)
    yield GaugeMetricFamily("fob_own_copy_enabled", "1 while fobd uses keys.", value=own.enabled)


def _by_device(name: str, words: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=("device",))
    for device, count in sorted(counts.items()):
        family.add_metric((device,), count)
    return family


def _cumulative(times: Times) -> list[tuple[str, float]]:
    """Prometheus counts in each bucket what is in the smaller ones too."""
    found: list[tuple[str, float]] = []
    count = 0
    for bound, more in zip((*map(str, BUCKETS), "+Inf"), times.counts, strict=True):
        count += more
        found.append((bound, count))
    return found

"""What Prometheus reads at the control socket, held against Prometheus' own parser."""

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from fob_daemon.control.grant_reports import Granted, Revoked
from fob_daemon.control.integrity_reports import OwnCopyReport
from fob_daemon.control.interface import (
    Ask,
    ClientReport,
    ClientSocket,
    DeviceReport,
    DeviceState,
    LogEntry,
    Settled,
    StatusReport,
)
from fob_daemon.control.log_purpose import LogPurpose
from fob_daemon.control.office_reports import IntegrityChange, Relayed
from fob_daemon.metrics.exposition import exposition
from fob_daemon.metrics.tally import BUCKETS, Tally
from fob_protocol.pkcs11.flags import TokenFlag

PHONE = DeviceReport(
    name="phone",
    serial="0011",
    label="Fob phone",
    slot=1,
    url="ble:C4:00:00:00:00:01",
    state=DeviceState.READY,
    why="",
    next="",
    lines=(),
    round_trips=7,
    bytes_sent=700,
    bytes_received=910,
    sent_again=1,
    damaged=2,
    reconnects=3,
    objects=4,
    logged_in=True,
    token_flags=TokenFlag(0),
)
METER = replace(PHONE, name='a "meter"\\\n', state=DeviceState.AWAY, why="no answer", round_trips=0)
OWN = OwnCopyReport("fobd", "0.1.0", True, "valid", "", "00", 1, 2, True, "", "")
SSH = ClientReport(4242, "ssh", ("ssh", "build.example"), ClientSocket.AGENT, 1, True)


def status(*devices: DeviceReport, clients: tuple[ClientReport, ...] = ()) -> StatusReport:
    sockets = "/run/fob/provider.sock", "/run/fob/agent.sock"
    return StatusReport("0.1.0", 99, 12.5, *sockets, False, "", "", devices, clients)


def use(result: str = "OK", milliseconds: float = 80.0, operation: str = "sign") -> LogEntry:
    return LogEntry(
        sequence=1,
        time=0.0,
        program="ssh",
        pid=4242,
        programs=("ssh",),
        operation=operation,
        purpose=LogPurpose.LOGIN,
        host="github.com",
        namespace="",
        forwarded=False,
        key="work",
        device="phone",
        result=result,
        milliseconds=milliseconds,
    )


def read(report: StatusReport, tally: Tally) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """What Prometheus makes of it: value by name and labels."""
    families = text_string_to_metric_families(exposition(report, tally, OWN).decode())
    samples = [sample for family in families for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


def sample(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_the_link_of_each_device() -> None:
    numbers = read(status(PHONE, METER), Tally())

    assert numbers[sample("fob_link_up", device="phone")] == 1
    assert numbers[sample("fob_link_state", device="phone", state="ready")] == 1
    assert numbers[sample("fob_link_state", device="phone", state="away")] == 0
    assert numbers[sample("fob_link_round_trips_total", device="phone")] == 7
    assert numbers[sample("fob_link_octets_total", device="phone", direction="sent")] == 700
    assert numbers[sample("fob_link_octets_total", device="phone", direction="received")] == 910
    assert numbers[sample("fob_link_sent_again_total", device="phone")] == 1
    assert numbers[sample("fob_link_damaged_frames_total", device="phone")] == 2
    assert numbers[sample("fob_link_reconnects_total", device="phone")] == 3


def test_a_name_cannot_break_out_of_its_label() -> None:
    numbers = read(status(METER), Tally())

    assert numbers[sample("fob_link_up", device='a "meter"\\\n')] == 0


def test_the_daemon_and_its_clients() -> None:
    numbers = read(status(clients=(SSH,)), Tally())

    assert numbers[sample("fob_build_info", version="0.1.0")] == 1
    assert numbers[sample("fob_uptime_seconds")] == 12.5
    assert numbers[sample("fob_clients", socket="agent")] == 1
    assert numbers[sample("fob_clients", socket="provider")] == 0


def test_uses_and_refusals_are_counted() -> None:
    tally = Tally()
    for result in ("OK", "OK", "CKR_FUNCTION_REJECTED", "CKR_FUNCTION_CANCELED", "CKR_DEVICE_REMOVED"):
        tally.hear(use(result))

    numbers = read(status(PHONE), tally)

    assert numbers[sample("fob_key_uses_total", device="phone", operation="sign", result="OK")] == 2
    assert numbers[sample("fob_key_uses_total", device="phone", operation="sign", result="CKR_DEVICE_REMOVED")] == 1
    assert numbers[sample("fob_refusals_total", device="phone", reason="refused")] == 1
    assert numbers[sample("fob_refusals_total", device="phone", reason="unanswered")] == 1


def test_a_request_that_is_asked_about_twice_is_one_prompt() -> None:
    tally = Tally()
    tally.hear(Ask("phone", "unlock the phone: log in to github.com", 60.0, request=7))
    tally.hear(Ask("phone", "log in to github.com", 55.0, request=7))
    tally.hear(Ask("phone", "log in to github.com", 55.0, request=8))
    tally.hear(Settled("phone", 7))
    tally.hear(Ask("phone", "log in to github.com", 60.0, request=7))

    assert read(status(PHONE), tally)[sample("fob_prompts_total", device="phone")] == 3


def test_grants_and_revocations_are_counted() -> None:
    tally = Tally()
    for event in (Granted("phone", 1, 300, "log in"), Granted("phone", 2, 300, "sign"), Revoked("phone", 0)):
        tally.hear(event)

    numbers = read(status(PHONE), tally)

    assert numbers[sample("fob_grants_total", device="phone")] == 2
    assert numbers[sample("fob_grants_revoked_total", device="phone")] == 1


def test_questions_to_the_office_are_counted_by_what_became_of_them() -> None:
    tally = Tally()
    for service, result in (("content", "answered"), ("session", "answered"), ("report", "unreachable")):
        tally.hear(Relayed("phone", service, "words", 1, 2, result, "", 0.25))

    numbers = read(status(PHONE), tally)

    assert numbers[sample("fob_relayed_total", device="phone", result="answered")] == 2
    assert numbers[sample("fob_relayed_total", device="phone", result="unreachable")] == 1
    assert numbers[sample("fob_relay_seconds_count", device="phone")] == 3
    assert numbers[sample("fob_relay_seconds_sum", device="phone")] == 0.75


def test_numbers_go_on_under_a_new_name() -> None:
    tally, renamed, beside = Tally(), Tally(), Tally()
    for each, name in ((tally, "phone"), (renamed, "pixel")):
        each.hear(replace(use(), device=name))
        each.hear(Ask(name, "log in", 60.0, request=7))
        each.hear(Granted(name, 1, 300, "log in"))
        each.hear(Revoked(name, 1))
        each.hear(Relayed(name, "content", "", 0, 0, "answered", "", 0.25))
    tally.rename("phone", "phone")
    tally.rename("phone", "pixel")
    assert tally == renamed
    tally.hear(Ask("pixel", "log in", 55.0, request=7))
    assert tally == renamed, "the question that was open is the same"
    beside.hear(replace(use(), device="pixel"))
    beside.hear(use())
    beside.rename("phone", "pixel")
    numbers = read(status(PHONE), beside)
    assert numbers[sample("fob_key_uses_total", device="pixel", operation="sign", result="OK")] == 2
    assert numbers[sample("fob_key_use_seconds_count", device="pixel", operation="sign")] == 2


def test_times_fall_into_their_buckets() -> None:
    tally = Tally()
    for milliseconds in (10.0, 10.1, 90_000.0):
        tally.hear(use(milliseconds=milliseconds))

    numbers = read(status(PHONE), tally)

    def bucket(bound: float | str) -> float:
        return numbers[sample("fob_key_use_seconds_bucket", device="phone", operation="sign", le=str(bound))]

    # A bound belongs to its bucket, and each bucket counts the smaller ones.
    assert [bucket(bound) for bound in BUCKETS] == [1] + [2] * (len(BUCKETS) - 1)
    assert bucket("+Inf") == 3
    assert numbers[sample("fob_key_use_seconds_count", device="phone", operation="sign")] == 3
    assert numbers[sample("fob_key_use_seconds_sum", device="phone", operation="sign")] == 90.0201


def test_operations_have_times_of_their_own() -> None:
    tally = Tally()
    tally.hear(use())
    tally.hear(use(operation="decrypt"))

    numbers = read(status(PHONE), tally)

    assert numbers[sample("fob_key_use_seconds_count", device="phone", operation="sign")] == 1
    assert numbers[sample("fob_key_use_seconds_count", device="phone", operation="decrypt")] == 1


def test_copies_that_came_to_a_state() -> None:
    tally = Tally()
    for state in ("not-validated", "valid", "cloned", "valid", "whatever a device says", "so many labels"):
        tally.hear(IntegrityChange("old", "rate", state))
    tally.rename("old", "phone")
    text = exposition(status(), tally, OWN).decode()
    assert [line for line in text.splitlines() if line.startswith("fob_copies_total")] == [
        'fob_copies_total{device="phone",state="cloned"} 1.0',
        'fob_copies_total{device="phone",state="not-validated"} 1.0',
        'fob_copies_total{device="phone",state="other"} 2.0',
        'fob_copies_total{device="phone",state="valid"} 2.0',
    ]

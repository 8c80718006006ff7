"""A device that comes from the factory asks for its configuration, and what it is granted runs."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fob_device.components.runtime.errors import RunError, RunFault
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.configuring import NotInstalledError
from fob_protocol.at.answer import Event
from fob_protocol.office.configuration import Notice, Outcome, Purpose, Variant
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import Fault, OfficeError, RefusedError
from fob_protocol.office.refusals import Refusal
from support.device_bench import DATA, DeviceBench, echo_module, on_bench, releases
from support.office_signers import Draft, Server


@pytest.mark.clause("C13", "C15", "C17", "C18", "C7")
@pytest.mark.parametrize("variant", list(Variant))
def test_it_asks_by_itself_and_what_comes_runs(tmp_path: Path, variant: Variant) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = releases(bench.office)
        await bench.at_rest()
        assert bench.installed == ["table", "echo", "looping"]
        assert bench.back_office.options.data("table") == DATA
        echo = bench.back_office.options.command("+XECHO")
        assert echo is not None
        assert echo.call((1, "two", b"three")) == (1, "two", b"three")
        looping = bench.back_office.options.command("+XLOOP")
        assert looping is not None
        with pytest.raises(RunError) as ended:
            looping.call(())
        assert ended.value.fault is RunFault.OUT_OF_FUEL
        (request,) = bench.office.requests
        assert (request.purpose, request.set_number, request.identifier is None) == (
            Purpose.FIRST, 0, variant is Variant.SIGNED_REQUEST,
        )  # fmt: skip
        (report,) = bench.office.reports
        assert (report.outcome, report.set_number, report.reason) == (Outcome.CONFIRMED, 1, "")
        assert [component.id for component in report.catalogue] == ["echo", "looping", "table"]
        assert bench.events.count(Event("+FOBOPTIONS", (1,))) == 1

    on_bench(tmp_path, story, variant=variant)


@pytest.mark.clause("C13")
def test_after_a_success_it_never_asks_by_itself_again(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = releases(bench.office)
        await bench.at_rest()
        for _ in range(3):
            await bench.power_cut()
            await bench.back_office.started.wait()
            assert bench.installed == ["table", "echo", "looping"]
            await asyncio.sleep(100_000)
            assert bench.post.carried == 0
        assert len(bench.office.requests) == 1

    on_bench(tmp_path, story)


@pytest.mark.clause("C13")
def test_an_order_of_nothing_is_a_success_too(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = []
        await bench.at_rest()
        await asyncio.sleep(100_000)
        assert len(bench.office.requests) == 1
        assert bench.back_office.state == "generic"

    on_bench(tmp_path, story)


@pytest.mark.clause("C13", "C22")
def test_a_device_without_an_order_asks_again_until_there_is_one(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        await asyncio.sleep(3600)
        asked = bench.office.asked.count(Service.CONFIGURATION) // 2
        # After 1, 2, 4 ... 256, and then every 300 s, each with at most a quarter more.
        assert 16 <= asked <= 19
        assert (bench.back_office.state, bench.back_office.words) == ("generic", "denied")
        assert bench.office.requests == []
        bench.office.order = releases(bench.office)
        await bench.at_rest()
        assert bench.installed == ["table", "echo", "looping"]

    on_bench(tmp_path, story)


@pytest.mark.clause("C13")
def test_what_is_not_carried_is_carried_again_as_it_was(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = releases(bench.office)
        bench.post.failures = [NotCarriedError(NotCarried.UNREACHABLE), NotCarriedError(NotCarried.NOT_ANSWERED, 10)]
        loop = asyncio.get_running_loop()
        begin = loop.time()
        await bench.at_rest()
        assert bench.post.sealed[0] == bench.post.sealed[1] == bench.post.sealed[2] != bench.post.sealed[3]
        assert 11 <= loop.time() - begin <= 11 * 1.25 + 1

    on_bench(tmp_path, story)


@pytest.mark.clause("C19", "C27")
def test_a_person_asks_again_and_more_comes(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        table, echo, _ = releases(bench.office)
        bench.office.order = [table]
        await bench.at_rest()
        bench.office.order = [table, echo]
        await bench.back_office.configure(Purpose.AGAIN)
        assert bench.installed == ["table", "echo"]
        await bench.at_rest()
        assert [request.purpose for request in bench.office.requests] == [Purpose.FIRST, Purpose.AGAIN]
        assert [report.set_number for report in bench.office.reports] == [1, 2]
        requests, reports = bench.office.requests, bench.office.reports
        counters = [request.counter for request in requests] + [report.counter for report in reports]
        assert sorted(counters) == [1, 2, 3, 4]

    on_bench(tmp_path, story)


@pytest.mark.clause("C11")
def test_upgrades_are_told_of_until_something_else_is_installed(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        table, echo, _ = releases(bench.office)
        bench.office.order = [table]
        await bench.at_rest()
        bench.office.notices = (Notice("table", (1, 0, 0), (1, 1, 0)),)
        await bench.back_office.configure(Purpose.LOOK)
        catalogue = bench.back_office.machine.boot.record.catalogue
        assert bench.store.notices(catalogue) == bench.office.notices
        assert bench.installed == ["table"]
        bench.office.order, bench.office.notices = [table, echo], ()
        await bench.back_office.configure(Purpose.AGAIN)
        assert bench.store.notices(bench.back_office.machine.boot.record.catalogue) == ()

    on_bench(tmp_path, story)


@pytest.mark.clause("C27")
def test_a_set_that_fails_its_self_test_is_reverted_and_reported(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        table = releases(bench.office)[0]
        bench.office.order = [table]
        await bench.at_rest()
        bad = bench.office.signers.release("bad", echo_module(1), commands=("XBAD",))
        bench.office.order = [table, bad]
        with pytest.raises(NotInstalledError, match="self-test"):
            await bench.back_office.configure(Purpose.AGAIN)
        assert bench.installed == ["table"]
        assert bench.back_office.options.command("+XBAD") is None
        await bench.until(lambda: len(bench.office.reports) == 2)
        assert (bench.office.reports[1].outcome, bench.office.reports[1].reason) == (Outcome.REVERTED, "self-test")

    on_bench(tmp_path, story)


def _another_hardware(draft: Draft) -> None:
    draft.change(hardware="meter-2")


def _an_older_set(draft: Draft) -> None:
    draft.change(set_number=1)


def _another_code(draft: Draft) -> None:
    draft.code = bytes(32)


def _another_challenge(draft: Draft) -> None:
    draft.change(challenge=bytes(16))


def _another_device(draft: Draft) -> None:
    draft.change(device=bytes(16))


@pytest.mark.clause("C16", "C20", "C24", "C25", "C26")
@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (_another_hardware, Fault.OTHER_HARDWARE),
        (_an_older_set, Fault.SET_ROLLBACK),
        (_another_code, Fault.WRONG_AUTHORISATION),
        (_another_challenge, Fault.STALE_ANSWER),
        (_another_device, Fault.OTHER_DEVICE),
    ],
)
def test_a_set_that_breaks_a_rule_is_refused_by_name_and_reported(
    tmp_path: Path, spoil: Callable[[Draft], None], fault: Fault
) -> None:
    async def story(bench: DeviceBench) -> None:
        table, echo, _ = releases(bench.office)
        bench.office.order = [table]
        await bench.at_rest()
        bench.office.order, bench.office.spoil_draft = [table, echo], spoil
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.configure(Purpose.AGAIN)
        assert refused.value.fault is fault
        assert bench.installed == ["table"]
        await bench.until(lambda: len(bench.office.reports) == 2)
        assert (bench.office.reports[1].outcome, bench.office.reports[1].reason) == (Outcome.REFUSED, fault)

    on_bench(tmp_path, story)


def test_content_that_is_not_there_any_more_is_given_up_and_asked_for_anew(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = releases(bench.office)
        bench.office.refuses = {Service.CONTENT: RefusedError(Refusal.NO_CONTENT)}
        await bench.until(lambda: len(bench.office.reports) == 1)
        assert (bench.office.reports[0].outcome, bench.office.reports[0].reason) == (Outcome.FAILED, "no-content")
        bench.office.refuses = {}
        await bench.at_rest()
        assert bench.installed == ["table", "echo", "looping"]

    on_bench(tmp_path, story)


@pytest.mark.clause("C24", "C25")
def test_an_answer_of_before_or_of_another_server_is_refused(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = []
        old: dict[Service, bytes] = {}

        def replay(service: Service, sealed: bytes) -> bytes:
            return old.setdefault(service, sealed)

        bench.office.spoil_sealed = replay
        await bench.until(lambda: bool(bench.back_office.trouble))
        assert bench.back_office.trouble == Fault.STALE_ANSWER
        bench.office.spoil_sealed = lambda service, sealed: sealed
        await bench.at_rest()
        # An office with the same sealing key signs as another server.
        configuration = bench.office.signers.configuration
        bench.office.signers.configuration = type(configuration)(
            bench.office.bank.signing_key, configuration.sealing_key, configuration.certificate, configuration.signed
        )
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.configure(Purpose.AGAIN)
        assert refused.value.fault is Fault.WRONG_SIGNATURE

    on_bench(tmp_path, story)


@pytest.mark.clause("R27")
def test_a_server_whose_key_changed_is_spoken_to_by_its_new_one_and_the_old_one_is_worth_nothing(
    tmp_path: Path,
) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = []
        await bench.at_rest()
        signers, old = bench.office.signers, bench.office.signers.configuration
        signers.configuration = signers.server("config", *old.certificate.usages, epoch=2)
        bench.office.former = [old]
        await bench.back_office.configure(Purpose.LOOK)
        assert bench.back_office.talker.known.certificates["config"] == signers.configuration.signed
        bench.office.list_number, bench.office.revoked, bench.office.former = 2, {"config": 2}, []
        await bench.back_office.configure(Purpose.LOOK)
        bench.office.list_number = 1
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.configure(Purpose.LOOK)
        assert refused.value.fault is Fault.LIST_ROLLBACK

    on_bench(tmp_path, story)


def change_and_revoke(bench: DeviceBench) -> Server:
    """While the device is away; the old keys."""
    signers, old = bench.office.signers, bench.office.signers.configuration
    signers.configuration = signers.server("config", *old.certificate.usages, epoch=old.certificate.epoch + 1)
    bench.office.revoked = {"config": signers.configuration.certificate.epoch}
    bench.office.list_number += 1
    bench.office.revoked_keys.append(old)
    return old


@pytest.mark.clause("R27")
@pytest.mark.parametrize("is_new", [True, False])
def test_a_device_that_was_away_while_keys_were_changed_and_revoked_hears_of_it(tmp_path: Path, is_new: bool) -> None:
    """One from the factory with a certificate of long ago too, and over two changes."""

    async def story(bench: DeviceBench) -> None:
        if not is_new:
            bench.office.order = []
            await bench.at_rest()
        change_and_revoke(bench)
        change_and_revoke(bench)
        bench.office.order = releases(bench.office)[:1]
        if not is_new:
            await bench.back_office.configure(Purpose.AGAIN)
        await bench.at_rest()
        assert (bench.installed, bench.back_office.talker.known.trust.epochs["config"]) == (["table"], 3)

    on_bench(tmp_path, story)


@pytest.mark.clause("R27")
def test_a_report_that_waits_while_keys_are_changed_and_revoked_is_heard(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = releases(bench.office)[:1]
        bench.office.refuses = {Service.REPORT: RefusedError(Refusal.UNAVAILABLE, 1)}
        await bench.until(lambda: Service.REPORT in bench.office.asked)
        change_and_revoke(bench)
        bench.office.refuses = {}
        await bench.at_rest()
        assert [report.outcome for report in bench.office.reports] == [Outcome.CONFIRMED]

    on_bench(tmp_path, story)


@pytest.mark.clause("R27")
def test_a_directory_by_revoked_keys_is_heard_by_nobody_who_knows_newer_ones(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        bench.office.order = []
        await bench.at_rest()
        old = change_and_revoke(bench)
        await bench.back_office.configure(Purpose.LOOK)
        new = bench.office.signers.configuration
        bench.office.signers.configuration = replace(old, sealing_key=new.sealing_key)
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.configure(Purpose.LOOK)
        assert refused.value.fault in (Fault.REVOKED, Fault.ROLLBACK, Fault.WRONG_SIGNATURE)

    on_bench(tmp_path, story)


@pytest.mark.clause("R27", "C25")
def test_what_a_release_server_signed_is_taken_until_its_keys_are_revoked(tmp_path: Path) -> None:
    """New keys beside the old ones, of which the directory has told, stop no configuration."""

    async def story(bench: DeviceBench) -> None:
        table, echo, _ = releases(bench.office)
        signers, old = bench.office.signers, bench.office.signers.releases
        signers.releases = signers.server("releases", *old.certificate.usages, epoch=2)

        def by_the_old_keys(draft: Draft) -> None:
            draft.certificates = [old.signed]

        bench.office.spoil_draft = by_the_old_keys
        bench.office.order = [table]
        await bench.at_rest()
        assert bench.back_office.talker.known.trust.epochs["releases"] == 2
        assert bench.installed == ["table"]
        bench.office.list_number, bench.office.revoked = 2, {"releases": 2}
        bench.office.order = [table, echo]
        with pytest.raises(OfficeError) as refused:
            await bench.back_office.configure(Purpose.AGAIN)
        assert refused.value.fault is Fault.REVOKED
        assert bench.installed == ["table"]

    on_bench(tmp_path, story)


def test_who_stops_waiting_stops_nothing(tmp_path: Path) -> None:
    async def story(bench: DeviceBench) -> None:
        table, echo, _ = releases(bench.office)
        bench.office.order = [table]
        await bench.at_rest()
        bench.office.order = [table, echo]
        waiting = asyncio.create_task(bench.back_office.configure(Purpose.AGAIN))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        waiting.cancel()
        await bench.until(lambda: bench.installed == ["table", "echo"])

    on_bench(tmp_path, story)

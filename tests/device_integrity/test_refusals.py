"""What the server answers in place of VAL_OK, and what comes next (docs/integrity-protocol.md, section 3)."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_device.integrity.own_program import NAME
from fob_device.office.progress import Told
from fob_protocol.integrity.copy_record import COMPONENT_POLICY, INSTALLATION_POLICY
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.validation import Validated
from fob_protocol.office.envelope import Service
from fob_protocol.office.errors import RefusedError
from fob_protocol.office.refusals import Refusal
from support.integrity_bench import LASTING, IntegrityBench, on_integrity_bench, validating_office
from support.reference_integrity import METHOD, CopyAt

MINUTELY = replace(INSTALLATION_POLICY, interval=60)
PLAIN = Method(Technique.D1, Embedder.DISTRIBUTOR, Variant.VA_1)


def answers(bench: IntegrityBench, program: str) -> list[tuple[int, str]]:
    """Each request's PSI, and what came of it."""
    number = bench.copy(program).about.copy
    return [
        (evidence.program_number, answer if isinstance(answer, Refusal) else type(answer).__name__)
        for evidence, answer in bench.integrity.log if evidence.copy == number
    ]  # fmt: skip


@pytest.mark.clause("V10", "V14", "V22")
@pytest.mark.parametrize("refusal", [Refusal.STALE_CHALLENGE, Refusal.LATE, Refusal.IV_USED])
def test_a_refusal_that_is_an_answer_uses_the_number_up_and_the_next_one_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        due = [refusal]
        monkeypatch.setattr(bench.integrity, "_untimely", lambda *case: due.pop() if due else None)
        assert await bench.use("looping") == "used"
        assert answers(bench, "looping") == [(1, "Validated"), (2, refusal), (3, "Validated")]

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V7", "V14")
@pytest.mark.parametrize("method", [METHOD, PLAIN], ids=["challenged", "plain"])
def test_what_waited_too_long_on_its_way_is_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: Method
) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        last = bench.post.carried + 1
        carry = bench.post.carry

        async def slow(service: str, question: bytes, told: Told) -> bytes:
            if bench.post.carried + 1 == last:
                bench.office.now += 301
            return await carry(service, question, told)

        monkeypatch.setattr(bench.post, "carry", slow)
        assert await bench.use("looping") == "used"
        late = Refusal.STALE_CHALLENGE if method is METHOD else Refusal.LATE
        assert answers(bench, "looping") == [(1, "Validated"), (2, late), (3, "Validated")]

    on_integrity_bench(tmp_path, story, validating_office(method=method))


@pytest.mark.clause("V14", "V22")
def test_a_server_that_uses_up_number_after_number_is_not_asked_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        monkeypatch.setattr(bench.integrity, "_untimely", lambda *case: Refusal.LATE)
        assert await bench.use("looping") == "not-validated"
        assert answers(bench, "looping")[1:] == [(2, "late"), (3, "late"), (4, "late")]
        assert bench.standings.reason("looping") == "late"
        monkeypatch.undo()
        assert await bench.use("looping") == "used"
        assert answers(bench, "looping")[-1] == (5, "Validated")

    on_integrity_bench(tmp_path, story)


def _rolled_back(copy: CopyAt) -> None:
    copy.program_number, copy.server_number = 0, 0
    copy.used.clear()


@pytest.mark.clause("V22")
def test_an_office_that_was_put_back_is_told_by_name_and_the_request_stays(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        await bench.restart()
        at = bench.integrity.copy("looping")
        before = at.program_number, at.server_number, dict(at.used)
        _rolled_back(at)
        assert await bench.use("looping") == "not-validated"
        assert bench.standings.reason("looping") == "out-of-sequence"
        assert await bench.use("looping") == "not-validated"
        assert answers(bench, "looping")[2:] == [(3, "out-of-sequence")] * 2
        # The operator's `copy resynchronise`.
        at.program_number, at.server_number, at.used = before
        assert await bench.use("looping") == "used"
        assert answers(bench, "looping")[4:] == [(3, "Validated"), (4, "Validated")]

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16", "V22")
def test_an_office_that_was_put_back_ends_nobody_s_grace_and_lengthens_none(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        await bench.restart()
        for program in (NAME, "looping"):
            _rolled_back(bench.integrity.copy(program))
        # Asked at its next start too.
        await bench.restart()
        assert [bench.standings.reason(name) for name in (NAME, "looping")] == ["out-of-sequence"] * 2
        assert [bench.words[name] for name in (NAME, "looping")] == ["valid"] * 2
        assert [await bench.use(name) for name in (NAME, "looping")] == ["used"] * 2
        bench.office.now += LASTING.grace - 1
        assert [await bench.use(name) for name in (NAME, "looping")] == ["used"] * 2
        bench.damage("looping")
        await bench.restart()
        assert [await bench.use(name) for name in (NAME, "looping")] == ["used", "not-validated"]
        bench.office.now += 1
        assert await bench.use(NAME) == "not-validated"

    on_integrity_bench(tmp_path, story, validating_office(policy=LASTING, own=LASTING))


def test_a_refusal_of_who_asks_is_no_outage_and_nothing_is_graced(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.office.refuses[Service.VALIDATION] = RefusedError(Refusal.DENIED)
        assert await bench.use("looping") == "not-validated"
        assert bench.standings.reason("looping") == "denied"
        del bench.office.refuses[Service.VALIDATION]
        assert await bench.use("looping") == "used"

    policy = COMPONENT_POLICY.__class__(86_400, 0, 7200, True)
    on_integrity_bench(tmp_path, story, validating_office(policy=policy))


def test_an_office_that_has_no_time_is_an_outage(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.office.refuses[Service.VALIDATION] = RefusedError(Refusal.UNAVAILABLE)
        assert await bench.use("looping") == "used"

    policy = COMPONENT_POLICY.__class__(86_400, 0, 7200, True)
    on_integrity_bench(tmp_path, story, validating_office(policy=policy))


@pytest.mark.clause("V12", "V14")
def test_a_ticket_of_another_request_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        confirmed, old = bench.integrity._confirmed, bench.copy("looping").ticket
        assert old is not None
        monkeypatch.setattr(bench.integrity, "_confirmed", lambda *case: Validated(old, confirmed(*case).seed, None))
        before = bench.copy("looping")
        assert await bench.use("looping") == "not-validated"
        held = bench.copy("looping")
        assert (held.program_number, held.identifier, held.ticket) == (1, before.identifier, old)
        assert held.pending is not None

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V16")
def test_grace_is_for_no_answer_and_not_for_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device's own program, which is asked about at intervals, after an answer that is no VAL_OK."""

    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        monkeypatch.setattr(bench.integrity, "_untimely", lambda *case: Refusal.LATE)
        bench.office.now += MINUTELY.interval
        await bench.copies.validate_all()
        assert await bench.use(NAME) == "not-validated"
        monkeypatch.undo()
        assert await bench.use(NAME) == "used"

    on_integrity_bench(tmp_path, story, validating_office(own=MINUTELY))

"""The power goes, or an answer is lost, at every question and at every write: an honest copy is never locked out."""

from pathlib import Path

import pytest

from fob_device.integrity.own_program import NAME
from fob_device.integrity.store import CopyStore
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_device.office.progress import Told
from fob_device.office.workshop import PowerCutError
from fob_protocol.integrity.held_copy import Kept
from fob_protocol.integrity.validation import State
from support.integrity_bench import IntegrityBench, on_integrity_bench

ALL = [NAME, "table", "echo", "looping"]
# Behind the eight of a configuration: copies, and a challenge and a VAL_REQ for each of four.
QUESTIONS = range(9, 18)
# Of each copy: that it came, its request, and what came of that.
WRITES = 12


def check(bench: IntegrityBench) -> None:
    """All are valid, nothing is under way, both sides have the same identifier, and nobody was taken for two."""
    assert bench.words == dict.fromkeys(ALL, "valid")
    assert bench.integrity.proofs == []
    for name in ALL:
        held, at = bench.copy(name), bench.integrity.copy(name)
        assert (held.pending, held.identifier, at.state) == (None, at.identifier, State.VALID)
        assert (held.program_number, held.server_number) == (at.program_number, at.server_number)
    numbers = [(evidence.copy, evidence.program_number) for evidence, _ in bench.integrity.log]
    # A number is only ever said again with the very same request.
    requests = {(evidence.copy, evidence.program_number): evidence for evidence, _ in bench.integrity.log}
    assert all(requests[numbers[index]] == evidence for index, (evidence, _) in enumerate(bench.integrity.log))


@pytest.mark.clause("V22")
@pytest.mark.parametrize("answered", [False, True], ids=["before the answer", "after it"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_power_cut_at_any_question(tmp_path: Path, question: int, answered: bool) -> None:
    async def story(bench: IntegrityBench) -> None:
        bench.post.cut = question, answered
        await bench.post.is_cut.wait()
        await bench.restart()
        check(bench)

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V22")
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_lost_answer_is_said_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: int) -> None:
    async def story(bench: IntegrityBench) -> None:
        carry = bench.post.carry

        async def lossy(service: str, sealed: bytes, told: Told) -> bytes:
            answer = await carry(service, sealed, told)
            if bench.post.carried == question:
                raise NotCarriedError(NotCarried.NOT_ANSWERED)
            return answer

        monkeypatch.setattr(bench.post, "carry", lossy)
        await bench.validated()
        check(bench)

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V21", "V22")
@pytest.mark.parametrize("is_written", [False, True], ids=["before the write", "after it"])
@pytest.mark.parametrize("write", range(1, WRITES + 1))
def test_a_power_cut_at_any_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: int, is_written: bool
) -> None:
    """New identifier, numbers and ticket are there together, with the request gone; or none of it."""
    keep = CopyStore.keep
    writes = 0

    def cut(store: CopyStore, program: str, kept: Kept) -> None:
        nonlocal writes
        writes += 1
        if writes < write or (writes == write and is_written):
            keep(store, program, kept)
        if writes >= write:
            raise PowerCutError

    async def story(bench: IntegrityBench) -> None:
        with monkeypatch.context() as patching:
            patching.setattr(CopyStore, "keep", cut)
            await bench.until(lambda: writes >= write)
            await bench.switch_off()
        await bench.start()
        check(bench)

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V17", "V22")
def test_what_was_under_way_says_nothing_of_what_is_there_now(tmp_path: Path) -> None:
    """The evidence was good; the component is damaged before its answer is heard."""

    async def story(bench: IntegrityBench) -> None:
        bench.post.cut = 15, True
        await bench.post.is_cut.wait()
        assert bench.copy("echo").pending is not None
        bench.damage("echo")
        await bench.restart()
        assert bench.words["echo"] == "invalid"
        answers = [type(answer).__name__ for evidence, answer in bench.integrity.log
                   if evidence.copy == bench.copy("echo").about.copy]  # fmt: skip
        assert answers == ["Validated", "Validated", "NotValidated"]

    on_integrity_bench(tmp_path, story)

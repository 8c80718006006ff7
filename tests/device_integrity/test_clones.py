"""All that is on a device's disk, twice: the second one to log on is refused, and both are flagged (V21)."""

import shutil
from pathlib import Path

import pytest

from fob_device.integrity.own_program import NAME
from fob_device.integrity.standings import USE_AGAIN
from fob_protocol.integrity.cloning import read_clone_proof
from fob_protocol.integrity.validation import State
from support.integrity_bench import IntegrityBench, on_integrity_bench

ALL = [NAME, "table", "echo", "looping"]


@pytest.mark.clause("V21")
def test_the_second_of_two_is_refused_and_both_are_flagged(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        other = await bench.clone(tmp_path / "other")
        assert bench.words == dict.fromkeys(ALL, "valid")
        assert other.words == dict.fromkeys(ALL, "cloned")
        assert [await other.use(name) for name in ALL] == ["cloned"] * 4
        # Nobody guesses which one is honest.
        assert [await bench.use(name) for name in ("table", "echo", "looping")] == ["cloned"] * 3
        await bench.restart()
        assert await bench.use(NAME) == "cloned"
        server = bench.integrity.validation
        for proof in bench.integrity.proofs:
            shown = read_clone_proof(server.certificate.signing_key, proof.signed(server.signing_key))
            assert shown.first.program_number == shown.second.program_number == 2
        await other.switch_off()

    (tmp_path / "honest").mkdir()
    on_integrity_bench(tmp_path / "honest", story)


@pytest.mark.clause("V21", "V22")
def test_of_two_that_hold_the_very_request_under_way_the_second_never_gets_further(tmp_path: Path) -> None:
    """Its request was answered, and another one since: what it holds is worth nothing."""

    async def story(bench: IntegrityBench) -> None:
        bench.post.cut = 13, True
        await bench.post.is_cut.wait()
        other = await bench.clone(tmp_path / "other")
        assert (other.words["table"], other.standings.reason("table")) == ("not-validated", "replayed")
        assert (await other.use("table"), await bench.use("table")) == ("not-validated", "used")
        # Of the others, whose requests were not under way, it is found as ever.
        assert (other.words[NAME], bench.integrity.proofs != []) == ("cloned", True)
        await other.switch_off()

    (tmp_path / "honest").mkdir()
    on_integrity_bench(tmp_path / "honest", story)


@pytest.mark.clause("V6", "V21")
def test_a_device_that_was_put_back_to_an_older_state_can_be_given_another_copy_at_once(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        await bench.switch_off()
        kept = tmp_path / "kept"
        shutil.copytree(bench.folder, kept)
        await bench.start()
        # Copies are asked for more than once behind the backup.
        for _ in range(3):
            bench.integrity.copy("looping").state = State.DISABLED
            assert await bench.use("looping") == "disabled"
            bench.integrity.reissue("looping")
            bench.office.now += USE_AGAIN
            assert await bench.use("looping") == "used"
        await bench.switch_off()
        bench.folder = kept
        await bench.start()
        assert bench.words["echo"] == "cloned"
        bench.integrity.reissue("echo")
        bench.office.now += USE_AGAIN
        asked = len(bench.integrity.asked)
        await bench.copies.validate("echo")
        assert (bench.words["echo"], len(bench.integrity.asked)) == ("valid", asked + 1)

    folder = tmp_path / "device"
    folder.mkdir()
    on_integrity_bench(folder, story)

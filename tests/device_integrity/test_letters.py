"""Identifiers that come by a letter (D2, D4), and the few things that nobody may read together (V13)."""

from pathlib import Path

import pytest

from fob_protocol.integrity.letter import read_letter
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.office.errors import RefusedError
from support.integrity_bench import IntegrityBench, on_integrity_bench, validating_office


@pytest.mark.clause("V6", "V17")
@pytest.mark.parametrize("technique", [Technique.D2, Technique.D4, Technique.D7])
def test_what_waits_for_its_letter_is_not_enabled_before(tmp_path: Path, technique: Technique) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert (bench.words["looping"], bench.standings.reason("looping")) == ("not-validated", "needs-letter")
        assert await bench.use("looping") == "not-validated"
        letter = bench.integrity.letter("looping")
        with pytest.raises(RefusedError, match="letter-used"):
            await bench.copies.enter_letter("looping", bytes(32))
        await bench.copies.enter_letter("looping", read_letter(letter))
        assert (bench.words["looping"], await bench.use("looping")) == ("valid", "used")
        with pytest.raises(RefusedError, match="letter-used"):
            await bench.copies.enter_letter("table", read_letter(letter))
        await bench.restart()
        assert bench.words["looping"] == "valid"

    on_integrity_bench(tmp_path, story, validating_office(method=Method(technique, Embedder.TOOL, Variant.VA_3)))


@pytest.mark.clause("V13")
def test_the_value_that_is_shown_is_never_of_an_identifier_that_was_typed(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        typed = read_letter(bench.integrity.letter("looping"))
        await bench.copies.enter_letter("looping", typed)
        held = bench.copy("looping")
        assert (held.program_number, held.is_typed) == (2, False)
        assert held.identifier != typed

    on_integrity_bench(tmp_path, story, validating_office(method=Method(Technique.D2, Embedder.TOOL, Variant.VA_1)))


@pytest.mark.clause("V13", "V25")
def test_nothing_on_the_disk_shows_an_identifier_or_a_value(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        copy = bench.copy("echo")
        await bench.switch_off()
        disk = b"".join(path.read_bytes() for path in bench.folder.rglob("*") if path.is_file())
        assert copy.identifier is not None
        assert copy.integrity_value is not None
        assert copy.identifier not in disk
        assert copy.integrity_value not in disk
        assert repr(copy) == "HeldCopy(...)"
        bench.memory = bench._open()

    on_integrity_bench(tmp_path, story)

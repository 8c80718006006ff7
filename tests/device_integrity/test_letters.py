"""Identifiers that come by a letter (D2, D4), and the few things that nobody may read together (V13)."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from fob_device.integrity.own_program import NAME
from fob_device.office.carrier import NotCarriedError
from fob_device.office.progress import Told
from fob_protocol.integrity.copy_record import COMPONENT_POLICY
from fob_protocol.integrity.identifier import mark_of, marked
from fob_protocol.integrity.letter import read_letter
from fob_protocol.integrity.measure import integrity_value
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.source import Octets
from fob_protocol.integrity.validation import State
from fob_protocol.office.errors import RefusedError
from support.integrity_bench import LASTING, IntegrityBench, on_integrity_bench, validating_office

PLAIN = Method(Technique.D2, Embedder.TOOL, Variant.VA_1)


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


@pytest.mark.clause("V16", "V17")
def test_another_copy_of_what_was_disabled_enables_nothing_before_its_letter(tmp_path: Path) -> None:
    office = validating_office()
    assert office.integrity is not None
    office.integrity.known[NAME].method = PLAIN

    async def story(bench: IntegrityBench) -> None:
        # A new device goes on while somebody goes for the letter, and says so.
        await bench.validated()
        assert (bench.words[NAME], bench.standings.reason(NAME)) == ("waiting", "needs-letter")
        assert await bench.use(NAME) == "used"
        await bench.copies.enter_letter(NAME, read_letter(bench.integrity.letter(NAME)))
        assert bench.words[NAME] == "valid"
        bench.integrity.copy(NAME).state = State.DISABLED
        assert await bench.use(NAME) == "disabled"
        bench.integrity.reissue(NAME)
        await bench.restart()
        assert (bench.words[NAME], bench.standings.reason(NAME)) == ("not-validated", "needs-letter")
        assert await bench.use(NAME) == "not-validated"
        await bench.copies.enter_letter(NAME, read_letter(bench.integrity.letter(NAME)))
        assert (bench.words[NAME], await bench.use(NAME)) == ("valid", "used")

    on_integrity_bench(tmp_path, story, office)


@pytest.mark.clause("V13")
def test_the_value_that_is_shown_is_never_of_an_identifier_that_was_typed(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        typed = read_letter(bench.integrity.letter("looping"))
        await bench.copies.enter_letter("looping", typed)
        held = bench.copy("looping")
        assert (held.program_number, held.is_typed) == (2, False)
        assert held.identifier != typed

    on_integrity_bench(tmp_path, story, validating_office(method=PLAIN))


@pytest.mark.clause("V13", "V16", "V19")
def test_a_pc_that_lets_one_request_through_sees_no_value_of_what_it_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        typed = read_letter(bench.integrity.letter("looping"))
        carry, asked = bench.post.carry, len(bench.integrity.log)

        async def one_alone(service: str, question: bytes, told: Told) -> bytes:
            answer = await carry(service, question, told)
            bench.away(len(bench.integrity.log) > asked)
            return answer

        monkeypatch.setattr(bench.post, "carry", one_alone)
        with pytest.raises(NotCarriedError):
            await bench.copies.enter_letter("looping", typed)
        monkeypatch.undo()
        held = bench.copy("looping")
        assert (bench.integrity.copy("looping").server_number, held.server_number, held.is_typed) == (1, 1, False)
        # What it has rolled to is good for asking, and for nothing else yet.
        assert (await bench.use("looping"), bench.standings.integrity_value("looping")) == ("not-validated", b"")
        bench.away(False)
        assert await bench.use("looping") == "used"
        shown = bench.standings.integrity_value("looping")
        source = marked(Octets(bench.integrity.known["looping"].content), mark_of(typed))
        assert len(shown) == 32
        assert shown != integrity_value(PLAIN, typed, None, None, source)

    on_integrity_bench(tmp_path, story, validating_office(method=PLAIN, policy=LASTING))


@pytest.mark.clause("V13")
def test_what_was_typed_and_stays_is_shown_with_no_value(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        await bench.copies.enter_letter("looping", read_letter(bench.integrity.letter("looping")))
        assert await bench.use("looping") == "used"
        assert (bench.copy("looping").is_typed, bench.standings.integrity_value("looping")) == (True, b"")

    stays = replace(COMPONENT_POLICY, rolls=False)
    on_integrity_bench(tmp_path, story, validating_office(method=PLAIN, policy=stays))


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

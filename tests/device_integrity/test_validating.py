"""A device whose office validates copies: asked for, measured, validated at each start, and rolled."""

from dataclasses import replace
from pathlib import Path

import pytest

from fob_device.integrity.own_program import NAME
from fob_protocol.integrity.copy_record import INSTALLATION_POLICY
from fob_protocol.integrity.method import Embedder, Method, Technique, Variant
from fob_protocol.integrity.relying import RelyingParty
from fob_protocol.integrity.ticket import unverified_ticket
from fob_protocol.office.envelope import Service
from support.integrity_bench import IntegrityBench, on_integrity_bench, validating_office

ALL = [NAME, "table", "echo", "looping"]


@pytest.mark.clause("V2", "V17")
@pytest.mark.parametrize("is_one", [False, True], ids=["two servers", "one server"])
def test_what_was_installed_is_validated_before_anybody_asks(tmp_path: Path, is_one: bool) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert bench.words == dict.fromkeys(ALL, "valid")
        (request,) = bench.integrity.asked
        assert [holding.program for holding in request.holdings] == ALL
        assert [evidence.program_number for evidence, _ in bench.integrity.log] == [1, 1, 1, 1]

    on_integrity_bench(tmp_path, story, validating_office(is_one=is_one))


@pytest.mark.clause("V17", "V21", "V22")
def test_each_start_asks_anew_with_the_identifier_that_it_rolled_to(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        seen = set()
        for start in range(1, 4):
            await bench.validated()
            copy = bench.copy("echo")
            assert (copy.program_number, copy.server_number, copy.pending) == (start, start, None)
            assert copy.identifier == bench.integrity.copy("echo").identifier
            seen.add(copy.identifier)
            await bench.power_cut()
        assert len(seen) == 3

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V2", "V17")
@pytest.mark.parametrize(
    ("technique", "variant"),
    # Each once; the whole matrix is the engine's (tests/integrity).
    [
        (Technique.D1, Variant.VA_1), (Technique.D3, Variant.VA_2), (Technique.D5, Variant.VA_3),
        (Technique.D6, Variant.VA_4), (Technique.D7, Variant.VA_5), (Technique.D1, Variant.VA_6),
        (Technique.D3, Variant.VA_7),
    ],
)  # fmt: skip
def test_every_method_of_a_distributor_that_embeds(tmp_path: Path, technique: Technique, variant: Variant) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert bench.words["echo"] == "valid"
        # The device's own program is challenged always.
        assert bench.office.asked.count(Service.VALIDATION) == (5 if technique is Technique.D1 else 8)

    on_integrity_bench(tmp_path, story, validating_office(method=Method(technique, Embedder.DISTRIBUTOR, variant)))


def test_a_ticket_is_one_that_anybody_verifies(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        token = bench.copy("echo").ticket
        assert token is not None
        party = RelyingParty(bench.integrity.validation.certificate.signing_key, 60, {"echo": (1, 0, 0)})
        assert party.verify(token, bench.office.now) == unverified_ticket(token)

    on_integrity_bench(tmp_path, story)


def test_a_device_whose_directory_lists_no_validation_server_needs_none(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.at_rest()
        assert (bench.copies.is_required, bench.copies.seconds_until_due) == (False, None)
        assert [await bench.use(name) for name in ALL] == ["used"] * 4
        assert Service.DISTRIBUTION not in bench.office.asked

    office = validating_office()
    office.integrity = None
    on_integrity_bench(tmp_path, story, office)


def test_what_the_distribution_server_does_not_know_needs_none_also_when_it_is_away(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert bench.words == {NAME: "valid", "table": "valid", "echo": "needs-none", "looping": "needs-none"}
        bench.away()
        await bench.power_cut()
        await bench.back_office.started.wait()
        assert [await bench.use(name) for name in ("looping", "table")] == ["used", "not-validated"]
        # What needs what is not enabled is not used either.
        assert await bench.use("echo") == "not-validated"

    on_integrity_bench(tmp_path, story, validating_office(known=("table",)))


def test_what_becomes_known_needs_it_from_the_next_start_on(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        echo = next(one for one in bench.office.order or () if one.id == "echo")
        bench.integrity.knows("echo", echo.content)
        await bench.power_cut()
        await bench.validated()
        assert bench.words["echo"] == "valid"

    on_integrity_bench(tmp_path, story, validating_office(known=("table",)))


@pytest.mark.clause("V16", "V17")
def test_that_one_version_needs_none_says_nothing_of_the_next(tmp_path: Path) -> None:
    office = validating_office(known=("table",))
    assert office.integrity is not None
    del office.integrity.known[NAME]

    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        assert [bench.words[name] for name in (NAME, "looping")] == ["needs-none", "needs-none"]
        bench.away()
        assert bench.own is not None
        bench.own = replace(bench.own, version=(0, 2, 0))
        await bench.power_cut()
        await bench.back_office.started.wait()
        # Its own is waited for, as that of a new device.
        assert [await bench.use(name) for name in (NAME, "looping")] == ["used", "used"]
        assert bench.words[NAME] == "waiting"
        bench.office.now += INSTALLATION_POLICY.grace
        assert await bench.use(NAME) == "not-validated"
        bench.copies.started([replace(bench.standings.program("looping"), version=(1, 1, 0))])
        assert await bench.use("looping") == "not-validated"

    on_integrity_bench(tmp_path, story, office)

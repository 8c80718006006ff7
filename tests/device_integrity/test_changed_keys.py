"""Servers whose keys were changed, and the old ones revoked: the use that meets it asks for the newest, and goes on."""

import asyncio
from pathlib import Path

import pytest

from fob_device.integrity.copies import SHORT_ASK_TIME
from fob_device.integrity.own_program import NAME
from fob_device.office.carrier import NotCarried, NotCarriedError
from fob_protocol.integrity.validation import State
from fob_protocol.office.envelope import Service
from support.integrity_bench import IntegrityBench, on_integrity_bench


def change_and_revoke(bench: IntegrityBench) -> None:
    bench.integrity.change_keys()
    bench.office.list_number += 1
    bench.office.revoked = {server.certificate.server: 2 for server in bench.integrity.servers}


@pytest.mark.clause("R27", "V16")
@pytest.mark.parametrize("program", [NAME, "looping"])
def test_a_use_goes_on_with_the_new_keys_of_a_server(tmp_path: Path, program: str) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        change_and_revoke(bench)
        bench.office.asked.clear()
        begin = asyncio.get_running_loop().time()
        assert await bench.use(program) == "used"
        assert asyncio.get_running_loop().time() == begin
        assert bench.office.asked.count(Service.DIRECTORY) == 1
        bench.integrity.copy(program).state = State.DISABLED
        assert await bench.use(program) == "disabled"
        assert bench.office.asked.count(Service.DIRECTORY) == 1

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("R27")
def test_what_is_asked_on_demand_goes_on_with_them_too_and_another_copy_comes_by_them(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.integrity.copy("looping").state = State.CLONED
        assert await bench.use("looping") == "cloned"
        bench.integrity.reissue("looping")
        change_and_revoke(bench)
        await bench.copies.validate("looping")
        assert bench.words["looping"] == "valid"

    on_integrity_bench(tmp_path, story)


@pytest.mark.clause("V22")
def test_a_question_that_was_heard_and_answered_by_no_answer_is_settled_and_made_no_second_time(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        good = bench.office.spoil_sealed
        spoilt: list[bytes] = []

        def spoil(service: Service, sealed: bytes) -> bytes:
            if service is Service.VALIDATION and not spoilt:
                spoilt.append(sealed)
                return bytes(len(sealed))
            return good(service, sealed)

        bench.office.spoil_sealed = spoil
        assert await bench.use("looping") == "used"
        assert (len(spoilt), bench.integrity.copy("looping").state) == (1, State.VALID)
        assert not bench.integrity.proofs

    on_integrity_bench(tmp_path, story)


def test_who_answers_nothing_but_400_is_asked_no_longer_than_a_use_waits(tmp_path: Path) -> None:
    async def story(bench: IntegrityBench) -> None:
        await bench.validated()
        bench.post.failures += [NotCarriedError(NotCarried.NOT_ANSWERED) for _ in range(100)]
        begin = asyncio.get_running_loop().time()
        assert await bench.use("looping") == "not-validated"
        assert asyncio.get_running_loop().time() - begin <= SHORT_ASK_TIME
        bench.post.failures.clear()
        assert await bench.use("looping") == "used"

    on_integrity_bench(tmp_path, story)

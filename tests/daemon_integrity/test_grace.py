"""Without its office, or with one that was put back, this computer's fobd goes on for its grace and no longer."""

import asyncio

import pytest
from sqlalchemy import delete, update

from daemon_integrity.computer import LOST, Computer, asked_by_itself, refusal_of, validated
from fob_daemon.integrity import validating
from fob_daemon.relay.outcome import Outcome
from fob_office.answering import Answering
from fob_office.distribution.operating import disable, enable
from fob_office.distribution.tables import Copy
from fob_office.validation.tables import Validation
from fob_protocol.office.envelope import Refused
from fob_protocol.office.refusals import Refusal
from fob_protocol.relay import RelayStatus
from support.office_holders import policy

WEEK = 7 * 86_400
OVERLOADED = Outcome(RelayStatus.NOT_ANSWERED, seconds=86_400, why="it answered 503 Service Unavailable", http=503)


async def test_without_its_office_it_goes_on_for_its_grace(computer: Computer) -> None:
    await computer.enrol()
    computer.line.is_cut = True
    computer.scene.clock.pass_by(WEEK - 1)
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        assert await validated(own) == "the office cannot be reached: it hung up (unreachable)"
        report = own.report()
        assert (report.state, report.enabled, report.next) == ("valid", True, "fob doctor")
        computer.scene.clock.pass_by(1)
        assert await refusal_of(own) == (
            "CKR_FUNCTION_REJECTED: fobd: the office cannot be reached: it hung up (unreachable)"
        )
        assert (own.report().state, own.report().enabled) == ("not-validated", False)
        computer.line.is_cut = False
        assert await refusal_of(own) == ""


@pytest.mark.clause("V17")
async def test_no_grace_for_other_files(computer: Computer) -> None:
    await computer.enrol()
    computer.line.is_cut = True
    computer.main.write_text("changed")
    async with computer.switched_on() as own:
        assert "(unreachable)" in await refusal_of(own)


@pytest.mark.clause("V16", "V17")
async def test_another_version_has_no_grace_of_the_one_before(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await computer.enrol()
    computer.line.is_cut = True
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
    monkeypatch.setattr("fob_daemon.integrity.own_copy.own_version", lambda: "9.8.7")
    async with computer.switched_on() as own:
        assert "(unreachable)" in await refusal_of(own)


@pytest.mark.clause("V16")
async def test_a_clock_that_is_put_back_lengthens_no_grace(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        computer.scene.clock.pass_by(WEEK)
        # Its challenge tells the time, and the answer to its request is lost.
        heard = len(computer.line.asked)
        computer.line.lose = lambda number: number > heard + 1
        assert "(unreachable)" in await validated(own)
        computer.line.is_cut = True
        computer.slow = WEEK
        assert "(unreachable)" in await refusal_of(own)
    async with computer.switched_on() as own:
        assert "(unreachable)" in await refusal_of(own)


@pytest.mark.clause("V16", "V22")
async def test_an_office_that_was_put_back_ends_no_grace(computer: Computer) -> None:
    await computer.enrol()
    with computer.scene.office.database.write() as session:
        session.execute(delete(Validation))
        session.execute(update(Copy).values(program_number=0, server_number=0, request=None, answer=None))
    async with computer.switched_on() as own:
        assert "(out-of-sequence)" in await validated(own)
        assert (own.report().state, await refusal_of(own)) == ("valid", "")
        computer.scene.clock.pass_by(WEEK)
        assert "(out-of-sequence)" in await refusal_of(own)


@pytest.mark.clause("V16")
async def test_while_the_office_is_away_one_use_asks_and_the_next_ones_wait_for_nobody(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        computer.line.is_cut = True
        assert own._validating is not None
        begun = own._validating.begun
        assert [await refusal_of(own) for _ in range(5)] == [""] * 5
        assert own._validating.begun == begun + 1
        computer.line.is_cut = False
        assert await validated(own) == "valid"
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        assert await refusal_of(own) != ""


@pytest.mark.clause("V16")
@pytest.mark.parametrize("interval", [0, 60])
@pytest.mark.parametrize("away", [LOST, OVERLOADED], ids=["lost", "a day"])
async def test_the_first_use_after_the_office_is_back_is_the_last_that_goes_unasked(
    computer: Computer, interval: int, away: Outcome
) -> None:
    policy(computer.scene, "fobd", interval=interval)
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        computer.line.answer = away
        computer.scene.clock.pass_by(interval)
        # The pauses between what it asks by itself are long by now.
        for _ in range(10):
            await validated(own)
        assert own._validating is not None
        assert own._validating.seconds_until_due > 250
        # Programs that sign one thing after another are no reason to ask such an office more often than this.
        assert await refusal_of(own) == ""
        assert own._validating.seconds_until_due == validating.AWAY_AGAIN
        computer.line.answer = None
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        computer.scene.clock.pass_by(int(validating.AWAY_AGAIN))
        assert await refusal_of(own) == ""
        await asked_by_itself(computer, own)
        assert "(disabled)" in await refusal_of(own)


@pytest.mark.clause("V16")
async def test_what_was_disabled_and_is_enabled_again_hears_so_when_the_office_is_back(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        number = bytes.fromhex(own.report().copy)
        disable(computer.scene.office, number, "operator")
        assert "(disabled)" in await refusal_of(own)
        computer.line.answer = OVERLOADED
        assert "(disabled)" in await validated(own)
        computer.line.answer = None
        enable(computer.scene.office, number, "operator")
        computer.scene.clock.pass_by(int(validating.AWAY_AGAIN))
        assert "(disabled)" in await refusal_of(own)
        await asked_by_itself(computer, own)
        assert await refusal_of(own) == ""


@pytest.mark.clause("V16")
async def test_an_office_that_takes_questions_and_answers_none_keeps_one_use_waiting(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "SHORT_ASK_TIME", 0.05)
    await computer.enrol()
    computer.line.hangs.set()
    # At its start the daemon asks too, and waits longer than any use.
    async with asyncio.timeout(10), computer.switched_on() as own:
        assert await asyncio.gather(*(refusal_of(own) for _ in range(5))) == [""] * 5
        monkeypatch.setattr(validating, "SHORT_ASK_TIME", 3600.0)
        assert [await refusal_of(own) for _ in range(5)] == [""] * 5
        assert own.report().why == "the office cannot be reached: it did not answer in time (unreachable)"
        computer.scene.clock.pass_by(WEEK)
        with monkeypatch.context() as patched:
            patched.setattr(validating, "LONG_ASK_TIME", 0.05)
            assert "did not answer in time" in await refusal_of(own)
    computer.line.hangs.clear()
    async with computer.switched_on() as own:
        assert (await refusal_of(own), await validated(own)) == ("", "valid")


@pytest.mark.clause("V16")
async def test_an_answer_that_is_no_yes_ends_grace_until_the_office_says_yes(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        with monkeypatch.context() as patched:
            patched.setattr("fob_office.validation.rules.VALIDATION_TIME", -1)
            assert await validated(own) == "the request came too late (late)"
            assert (own.report().state, own.report().enabled) == ("not-validated", False)
            assert "(late)" in await refusal_of(own)
        computer.line.is_cut = True
        assert "(unreachable)" in await refusal_of(own)
        computer.line.is_cut = False
        assert (await validated(own), await refusal_of(own)) == ("valid", "")


@pytest.mark.clause("V17")
async def test_what_cannot_be_measured_any_more_has_no_grace(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        computer.line.is_cut = True
        (computer.packages[1] / "link.py").symlink_to("__init__.py")
        assert "(unreadable)" in await refusal_of(own)
        assert not own.report().enabled


async def test_an_office_that_says_it_cannot_answer_now_is_as_one_away(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        unavailable = Refused(Refusal.UNAVAILABLE, None).octets()
        monkeypatch.setattr(Answering, "_body", lambda answering, body: unavailable)
        assert "(unavailable)" in await validated(own)
        assert await refusal_of(own) == ""

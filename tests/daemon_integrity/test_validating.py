"""This computer's own fobd before a real office: changed, disabled, cloned, upgraded, and asking by itself."""

import asyncio
import shutil
from pathlib import Path

import pytest
from sqlalchemy import update

from daemon_integrity.computer import Computer, asked_by_itself, refusal_of, validated
from fob_daemon.control.errors import ControlError
from fob_daemon.integrity import own_program, validating
from fob_daemon.integrity.own_copy import OwnCopy
from fob_office.distribution.operating import disable, enable, reissue
from fob_office.distribution.tables import Copy
from fob_protocol.integrity.limits import CHALLENGE_AGE
from fob_protocol.integrity.relying import RelyingParty
from fob_protocol.integrity.validation import State
from support.office_holders import policy, state_of

HOUR = 3600


def test_what_is_measured_does_not_depend_on_who_comes_first(computer: Computer) -> None:
    forwards, backwards = computer.packages, computer.packages[::-1]
    assert own_program.measure(forwards).digest == own_program.measure(backwards).digest


@pytest.mark.clause("V15", "V16", "V17")
async def test_a_changed_file_is_found_at_the_next_start_and_healed_by_installing_anew(computer: Computer) -> None:
    await computer.enrol()
    clean = computer.main.read_bytes()
    computer.main.write_bytes(clean + b"print('hello')\n")
    async with computer.switched_on() as own:
        assert await refusal_of(own) == (
            "CKR_FUNCTION_REJECTED: fobd: what is installed is not what the office gave out (invalid)"
        )
        report = own.report()
        assert (report.state, report.reason, report.enabled) == ("invalid", "invalid", False)
        assert report.next == "install fobd anew, restart it, and then: fob integrity validate"
        assert state_of(computer.scene, bytes.fromhex(report.copy)) is State.INVALID
        with pytest.raises(ControlError, match="not what the office gave out"):
            own.ticket()
        assert "(invalid)" in await validated(own)
    computer.main.write_bytes(clean)
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        assert (await refusal_of(own), own.report().copy != report.copy) == ("", True)


@pytest.mark.clause("V16")
async def test_what_the_centre_disables_uses_no_key_from_the_next_answer_on(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        number = bytes.fromhex(own.report().copy)
        disable(computer.scene.office, number, "operator")
        assert "(disabled)" in await validated(own)
        assert "(disabled)" in await refusal_of(own)
        enable(computer.scene.office, number, "operator")
        assert (await validated(own), await refusal_of(own)) == ("valid", "")
        disable(computer.scene.office, number, "operator")
        assert "(disabled)" in await validated(own)
        reissue(computer.scene.office, number, "operator")
        assert await validated(own) == "valid"
        assert own.report().copy != number.hex()


@pytest.mark.clause("V16")
async def test_with_an_interval_of_0_each_use_asks(computer: Computer) -> None:
    policy(computer.scene, "fobd", interval=0, grace=0)
    await computer.enrol()
    async with computer.switched_on() as own:
        assert (await refusal_of(own), await refusal_of(own)) == ("", "")
        before = len(computer.line.asked)
        assert await refusal_of(own) == ""
        assert len(computer.line.asked) > before
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        assert "(disabled)" in await refusal_of(own)
        computer.line.is_cut = True
        assert "(disabled)" in await refusal_of(own)


@pytest.mark.clause("V16")
@pytest.mark.parametrize("interval", [0, HOUR])
async def test_what_is_enabled_again_is_used_again_without_a_word_from_anybody(
    computer: Computer, interval: int
) -> None:
    policy(computer.scene, "fobd", interval=interval, grace=0)
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        number = bytes.fromhex(own.report().copy)
        disable(computer.scene.office, number, "operator")
        assert "(disabled)" in await validated(own)
        enable(computer.scene.office, number, "operator")
        # Programs that try and try again ask no more often for it.
        before = len(computer.line.asked)
        for _ in range(10):
            assert "(disabled)" in await refusal_of(own)
        assert len(computer.line.asked) == before
        computer.scene.clock.pass_by(int(validating.USE_AGAIN))
        computer.line.is_cut = True
        assert "(disabled)" in await refusal_of(own)
        computer.line.is_cut = False
        computer.scene.clock.pass_by(int(validating.USE_AGAIN))
        assert await refusal_of(own) == ""


@pytest.mark.clause("V21", "V23")
async def test_of_two_copies_of_the_state_folder_the_second_one_is_found(computer: Computer) -> None:
    await computer.enrol()
    thief = computer.copied_state()
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
    async with computer.switched_on(thief) as own:
        assert "(cloned)" in await refusal_of(own)
        report = own.report()
        assert (report.state, report.next) == ("cloned", "ask who runs the office")
        assert state_of(computer.scene, bytes.fromhex(report.copy)) is State.CLONED
    # Nobody guesses which of them is the honest one.
    async with computer.switched_on() as own:
        assert "(cloned)" in await validated(own)
        reissue(computer.scene.office, bytes.fromhex(report.copy), "operator")
        assert await validated(own) == "valid"


@pytest.mark.clause("V22")
@pytest.mark.parametrize("lost", range(1, 8))
async def test_an_answer_that_is_lost_locks_nobody_out(computer: Computer, lost: int) -> None:
    letter = computer.letter()
    computer.line.lose = lambda number: number == lost
    async with computer.switched_on() as own:
        try:
            await own.enrol(letter, None, None)
        except ControlError:
            assert len(computer.line.asked) == lost
    async with computer.switched_on() as own:
        if not own.report().enrolled:
            await own.enrol(letter, None, None)
        # Whatever was lost at last is asked for again.
        assert "valid" in (await validated(own), await validated(own))
    async with computer.switched_on() as own:
        assert "valid" in (await validated(own), await validated(own))
        assert len(computer.line.asked) > lost
        number = bytes.fromhex(own.report().copy)
    assert state_of(computer.scene, number) is State.VALID


@pytest.mark.clause("V2", "V17")
async def test_an_upgrade_gets_a_copy_of_its_own_once_the_office_knows_it(
    computer: Computer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await computer.enrol()
    monkeypatch.setattr("fob_daemon.integrity.own_copy.own_version", lambda: "9.8.7")
    computer.main.write_text("# the next release\n")
    async with computer.switched_on() as own:
        assert await refusal_of(own) == (
            "CKR_FUNCTION_REJECTED: fobd: the office does not know this version of fobd (unknown-release)"
        )
        computer.release((9, 8, 7))
        assert (await validated(own), own.report().version) == ("valid", "9.8.7")
        assert await refusal_of(own) == ""


@pytest.mark.clause("V12", "V18")
async def test_a_relying_party_lets_it_in_by_its_ticket(computer: Computer) -> None:
    await computer.enrol()
    server = computer.scene.certificate("integrity").signing_key
    nonce = bytes(range(16))
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        presentation = own.present("work.example", nonce)
        party = RelyingParty(server, HOUR, {"fobd": (0, 0, 0)})
        admitted = party.admit(presentation, "work.example", nonce, computer.scene.clock.time)
        assert (admitted.program, admitted.copy.hex()) == ("fobd", own.report().copy)
        assert party.verify(own.ticket(), computer.scene.clock.time) == admitted


async def test_a_link_among_the_files_is_named(computer: Computer) -> None:
    await computer.enrol()
    (computer.packages[1] / "link.py").symlink_to("__init__.py")
    async with computer.switched_on() as own:
        assert await validated(own) == (
            "what is installed cannot be read, and so not be measured: fob_protocol/link.py is no plain file "
            "(unreadable)"
        )
        assert "(unreadable)" in await refusal_of(own)
    (computer.packages[1] / "link.py").unlink()
    (computer.packages[1] / "__pycache__").mkdir()
    (computer.packages[1] / "__pycache__" / "compiled.pyc").write_text("each machine has its own")
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"


@pytest.mark.clause("V16", "V22")
@pytest.mark.parametrize("is_barred", [False, True])
async def test_a_copy_that_was_made_since_a_backup_is_given_anew_at_the_next_use(
    computer: Computer, is_barred: bool
) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        number = own.report().copy
        if is_barred:
            disable(computer.scene.office, bytes.fromhex(number), "operator")
            assert "(disabled)" in await refusal_of(own)
        # What the office knows is another copy, of before the backup.
        with computer.scene.office.database.write() as session:
            session.execute(update(Copy).values(number=bytes(16), is_current=False, state=State.DISABLED))
        if is_barred:
            computer.line.is_cut = True
            computer.scene.clock.pass_by(int(validating.USE_AGAIN))
            assert "(disabled)" in await refusal_of(own)
            computer.line.is_cut = False
        computer.scene.clock.pass_by(int(validating.USE_AGAIN))
        assert await refusal_of(own) == ""
        assert own.report().copy != number


@pytest.mark.parametrize(("interval", "more"), [(HOUR, 0), (0, 1)])
async def test_uses_that_wait_at_the_start_ask_once(computer: Computer, interval: int, more: int) -> None:
    policy(computer.scene, "fobd", interval=interval)
    await computer.enrol()
    computer.line.asked.clear()
    async with computer.switched_on() as own:
        assert await asyncio.gather(*(refusal_of(own) for _ in range(10))) == [""] * 10
        assert computer.line.asked == ["directory", "validation", "validation", *["validation"] * more]
        assert await refusal_of(own) == ""
        assert len(computer.line.asked) == 3 + 2 * more


@pytest.mark.clause("V16")
async def test_a_use_waits_for_an_answer_though_those_before_it_are_withdrawn(computer: Computer) -> None:
    policy(computer.scene, "fobd", interval=0, grace=0)
    await computer.enrol()
    async with asyncio.timeout(10), computer.switched_on() as own:
        assert await refusal_of(own) == ""
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        # The next request's challenge has to be asked for, so that nothing is kept before it hangs.
        computer.scene.clock.pass_by(CHALLENGE_AGE)
        computer.line.hangs.set()
        uses = [asyncio.create_task(refusal_of(own)) for _ in range(3)]
        for withdrawn in uses[:2]:
            assert await computer.line.taken.get() == "validation"
            withdrawn.cancel()
        computer.line.hangs.clear()
        assert "(disabled)" in await uses[2]


@pytest.mark.clause("V16")
async def test_the_next_use_is_refused_when_the_centre_has_disabled_it(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        assert "fobd: the office has disabled this copy (disabled)" in await refusal_of(own)


@pytest.mark.clause("V17")
async def test_when_it_asks_by_itself(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        assert due(own) == HOUR
        computer.line.is_cut = True
        pauses = []
        for _ in range(12):
            await validated(own)
            pauses.append(due(own))
        assert all(1.0 * 2**n <= pause <= 1.25 * 2**n for n, pause in enumerate(pauses[:8]))
        assert 300 <= pauses[-1] <= 375
        computer.line.is_cut = False
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        await validated(own)
        assert due(own) == 300
        computer.slow = 1_000_000
        assert due(own) == 300
        computer.scene.clock.pass_by(200)
        assert due(own) == 100
        # While a computer sleeps only its own clock goes on.
        computer.slow = -100
        assert due(own) == 0


def due(own: OwnCopy) -> float:
    assert own._validating is not None
    return own._validating.seconds_until_due


async def test_it_goes_on_asking(computer: Computer) -> None:
    """By its own clock, which a test lets go faster."""
    policy(computer.scene, "fobd", interval=1)
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        computer.scene.clock.pass_by(1)
        own._wake.set()
        await asked_by_itself(computer, own)


@pytest.mark.clause("V24")
async def test_what_no_measurement_on_a_pc_can_find_is_said(
    computer: Computer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await computer.enrol()
    clean = tmp_path / "kept clean"
    for package in computer.packages:
        shutil.copytree(package, clean / package.name)
    computer.main.write_text("# does what it likes, and has what is measured elsewhere\n")
    monkeypatch.setattr(validating, "package_folders", lambda: [clean / package.name for package in computer.packages])
    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
    told = (Path(__file__).parents[2] / "docs" / "threat-model.md").read_text(encoding="utf-8")
    assert "a changed `fobd` that keeps a clean copy\n  beside it can answer for that one" in told

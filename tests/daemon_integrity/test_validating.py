"""This computer's own fobd before a real office: enrolled, changed, restored, disabled, cloned, upgraded, alone."""

import asyncio
import errno
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, update

from daemon_integrity.computer import Computer, refusal_of
from fob_daemon.control.errors import ControlError
from fob_daemon.integrity import enrolled, own_program, validating
from fob_daemon.integrity.own_copy import OwnCopy
from fob_daemon.permissions import PermissionsError
from fob_daemon.relay.office import NoOffice
from fob_daemon.relay.outcome import Outcome
from fob_office.distribution.operating import disable, enable, reissue
from fob_office.distribution.tables import Copy
from fob_office.validation.tables import Validation
from fob_protocol.integrity.relying import RelyingParty
from fob_protocol.integrity.validation import State
from fob_protocol.relay import RelayStatus
from support.office_holders import policy, state_of

WEEK = 7 * 86_400
HOUR = 3600


async def validated(own: OwnCopy) -> str:
    """What a person hears who asks for a validation."""
    try:
        return (await own.validate()).state
    except ControlError as error:
        return error.why


async def test_a_computer_that_nobody_has_enrolled_goes_on_as_ever(computer: Computer) -> None:
    async with computer.switched_on() as own:
        report = own.report()
        assert (report.enrolled, report.enabled, report.why, await refusal_of(own)) == (False, True, "", "")
        for asked in (own.ticket, lambda: own.present("work", bytes(16))):
            with pytest.raises(ControlError, match="not enrolled"):
                asked()
        assert await validated(own) == "this computer's fobd is not enrolled"
    assert (list(computer.state.iterdir()), computer.line.asked) == ([], [])


@pytest.mark.clause("V5", "V12", "V17")
async def test_a_letter_enrols_it_and_each_start_validates_it(computer: Computer) -> None:
    async with computer.switched_on() as own:
        report = await own.enrol(computer.letter(), None, None)
        assert (report.enrolled, report.state, report.enabled, report.why) == (True, "valid", True, "")
        assert (report.validated, report.until) == (computer.scene.clock.time, computer.scene.clock.time + 86_400)
    # D7's challenges and requests; two each, so that no value that is shown is of the letter's identifier.
    assert computer.line.asked == ["directory", "distribution", *["validation"] * 4]
    computer.line.asked.clear()
    computer.scene.clock.pass_by(60)
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        assert await validated(own) == "valid"
        assert own.report().validated == computer.scene.clock.time
    assert computer.line.asked[0] == "directory"


def test_what_is_measured_does_not_depend_on_who_comes_first(computer: Computer) -> None:
    forwards, backwards = computer.packages, computer.packages[::-1]
    assert own_program.measure(forwards).digest == own_program.measure(backwards).digest


@pytest.mark.clause("V13")
async def test_what_is_secret_is_its_owners_alone(computer: Computer, capsys: pytest.CaptureFixture[str]) -> None:
    letter = computer.letter()
    async with computer.switched_on() as own:
        await own.enrol(letter, None, None)
        assert {path.name: path.stat().st_mode & 0o777 for path in computer.state.iterdir()} == {
            "integrity.key": 0o600, "integrity.state": 0o600,
        }  # fmt: skip
        kept = own._validating.keeper.kept if own._validating else None
        assert kept is not None
        identifier = kept.copy.identifier
        assert identifier is not None
        shown = repr(kept) + repr(kept.copy) + "".join(capsys.readouterr())
    assert (identifier.hex() in shown, str(identifier) in shown, letter in shown) == (False, False, False)
    assert not any(identifier in octets for octets in computer.line.seen)


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
        computer.scene.clock.pass_by(-WEEK)
        assert "(unreachable)" in await refusal_of(own)


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


async def test_letters_that_enrol_nobody(computer: Computer) -> None:
    used = computer.letter()
    async with computer.switched_on() as own:
        with pytest.raises(ControlError, match="a letter has 56 characters"):
            await own.enrol("ABCD", None, None)
        with pytest.raises(ControlError, match=r"wrong-issuer"):
            await own.enrol(used, bytes(32), None)
        assert own.report().enrolled is False
        await own.enrol(used, None, None)
    other = computer.state.with_name("other")
    other.mkdir(0o700)
    async with computer.switched_on(other) as own:
        with pytest.raises(ControlError, match="was used before"):
            await own.enrol(used, None, None)
        assert own.report().enrolled is False


async def test_certificates_and_issuers_that_are_not_the_offices_configuration_servers(computer: Computer) -> None:
    letter = computer.letter()

    async def refused(own: OwnCopy, issuer: bytes | None, certificate: bytes | None) -> tuple[str, str]:
        with pytest.raises(ControlError) as caught:
            await own.enrol(letter, issuer, certificate)
        assert ("device" in caught.value.why, "token" in caught.value.why) == (False, False)
        return caught.value.why, caught.value.next_command

    async with computer.switched_on() as own:
        why, deed = await refused(own, None, computer.scene.signed_certificate("integrity"))
        assert why == (
            "the certificate is not that of the office's configuration server: it is of 'integrity' (other-usage)"
        )
        assert deed.endswith("fob-office server certificate configuration")
        why, deed = await refused(own, bytes(32), None)
        assert why.endswith("is not signed by the office's public key that is configured or was given (wrong-issuer)")
        assert deed.endswith("fob-office issuer show")
        assert computer.line.asked == []
        computer.line.answer = Outcome(RelayStatus.NOT_ANSWERED, why="it answered 400 Bad Request", http=400)
        why, deed = await refused(own, None, None)
        assert why.startswith("the office could not read what was sealed for the server of this certificate")
        assert deed.startswith("--certificate FILE")
        computer.line.answer = Outcome(RelayStatus.NOT_ANSWERED, why="it answered 502 Bad Gateway", http=502)
        assert "502 Bad Gateway (not-answered)" in (await refused(own, None, None))[0]
        computer.line.answer = None
        assert (await own.enrol(letter, None, None)).state == "valid"


async def test_another_letter_brings_another_copy(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        number = own.report().copy
        await own.enrol(computer.letter(), None, None)
        assert own.report().copy != number
        assert await validated(own) == "valid"


async def test_what_is_installed_is_not_what_the_letter_is_for(computer: Computer) -> None:
    letter = computer.letter()
    clean = computer.main.read_bytes()
    computer.main.write_text("other")
    async with computer.switched_on() as own:
        with pytest.raises(ControlError, match="other-release"):
            await own.enrol(letter, None, None)
        computer.main.write_bytes(clean)
        assert (await own.enrol(letter, None, None)).state == "valid"


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


async def test_a_damaged_file_is_no_start_and_says_so(computer: Computer) -> None:
    await computer.enrol()
    kept = computer.state / "integrity.state"
    for content in (b"", b"garbage", kept.read_bytes()[:-1]):
        kept.write_bytes(content)
        with pytest.raises(ValueError, match=r"integrity\.state is damaged"):
            async with computer.switched_on():
                pass


async def test_what_is_read_out_of_it_later_is_looked_at_before_the_start(computer: Computer) -> None:
    await computer.enrol()
    kept = enrolled.load(computer.state)
    for damaged in (replace(kept, known=b"garbage"), replace(kept, copy=replace(kept.copy, record=b"garbage"))):
        enrolled.keep(computer.state, damaged)
        with pytest.raises(ValueError, match=r"integrity\.state is damaged"):
            async with computer.switched_on():
                pass


async def test_an_office_that_nobody_has_configured(computer: Computer, tmp_path: Path) -> None:
    own = OwnCopy(type(computer.settings())(), NoOffice())
    await own.start(tmp_path)
    with pytest.raises(ControlError, match=r"\[office\] issuer"):
        await own.enrol(computer.letter(), None, None)
    with pytest.raises(ControlError, match=r"\[office\] certificate"):
        await own.enrol(computer.letter(), computer.scene.issuer, None)
    with pytest.raises(ControlError, match="no-office"):
        await own.enrol(computer.letter(), computer.scene.issuer, computer.certificate.read_bytes())
    computer.certificate.unlink()
    async with computer.switched_on() as other:
        with pytest.raises(ControlError, match="No such file"):
            await other.enrol(computer.letter(), None, None)


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


@pytest.mark.parametrize(("interval", "more"), [(HOUR, 0), (0, 2)])
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
async def test_the_next_use_is_refused_when_the_centre_has_disabled_it(computer: Computer) -> None:
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        disable(computer.scene.office, bytes.fromhex(own.report().copy), "operator")
        assert "fobd: the office has disabled this copy (disabled)" in await refusal_of(own)


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
        monkeypatch.setattr(validating, "LONG_ASK_TIME", 0.05)
        assert "did not answer in time" in await refusal_of(own)
    computer.line.hangs.clear()
    async with computer.switched_on() as own:
        assert (await refusal_of(own), await validated(own)) == ("", "valid")


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
        computer.scene.clock.pass_by(-1_000_000)
        assert due(own) == 300


def due(own: OwnCopy) -> float:
    assert own._validating is not None
    return own._validating.seconds_until_due


async def test_it_goes_on_asking(computer: Computer) -> None:
    """By its own clock, which a test lets go faster."""
    policy(computer.scene, "fobd", interval=1)
    await computer.enrol()
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        asks = asyncio.Event()

        def heard(number: int) -> bool:
            asks.set()
            return False

        computer.line.lose = heard
        computer.scene.clock.pass_by(1)
        own._wake.set()
        async with asyncio.timeout(10):
            await asks.wait()


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


async def test_a_key_that_others_can_read_is_no_start(computer: Computer) -> None:
    await computer.enrol()
    (computer.state / "integrity.key").chmod(0o644)
    with pytest.raises(PermissionsError, match=r"integrity\.key"):
        async with computer.switched_on():
            pass


async def test_a_disk_that_takes_nothing_more(computer: Computer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not kept is not sent."""
    await computer.enrol()

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with computer.switched_on() as own:
        assert await validated(own) == "valid"
        before = computer.line.asked.count("validation")
        monkeypatch.setattr("fob_daemon.integrity.enrolled.write_durably", full)
        assert await validated(own) == "what has to be kept could not be written: No space left on device (not-kept)"
        # A challenge, and no request.
        assert computer.line.asked.count("validation") == before + 1
        monkeypatch.undo()

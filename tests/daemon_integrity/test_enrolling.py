"""A letter of a real office enrols this computer's fobd: one letter once, and of that office alone."""

from pathlib import Path

import pytest

from daemon_integrity.computer import Computer, refusal_of, validated
from fob_daemon.control.errors import ControlError
from fob_daemon.integrity.own_copy import OwnCopy
from fob_daemon.relay.office import NoOffice
from fob_daemon.relay.outcome import Outcome
from fob_protocol.relay import RelayStatus


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
    # D7's challenge, and two requests, so that no value that is shown is of the letter's identifier.
    assert computer.line.asked == ["directory", "distribution", *["validation"] * 3]
    computer.line.asked.clear()
    computer.scene.clock.pass_by(60)
    async with computer.switched_on() as own:
        assert await refusal_of(own) == ""
        assert await validated(own) == "valid"
        assert own.report().validated == computer.scene.clock.time
    assert computer.line.asked[0] == "directory"


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

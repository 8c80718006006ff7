"""`fob integrity`: how copies stand, their validation, their letters; this computer's own copy beside them."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import VALIDATED, FakeDaemon
from control.fake_phone import FakePhone
from control.meter import make_meter
from fob_daemon.cli.asks import Told
from fob_daemon.cli.context import Fob
from fob_daemon.cli.git_signing.refusal import why_not_signed
from fob_daemon.control.errors import ControlError
from fob_daemon.control.office_reports import IntegrityChange, OfficeReport, RelayReport
from fob_daemon.control.sse import ServerEvent
from fob_protocol.at.values import Values
from fob_protocol.integrity.letter import write_letter
from fob_protocol.pkcs11.ckr import Ckr
from support.fake_device_office import FakeDeviceOffice, refusing, saying

LETTER = write_letter(bytes(range(32)))
CLONED = "there are two of this copy, and nobody can say which one is honest (cloned)"
AWAY = "the office cannot be reached (unreachable)"
REFUSED_OWN = replace(
    VALIDATED, state="invalid", reason="invalid", validated=None, until=None, enabled=False,
    why="what is here is not what the office gave out (invalid)", next="install fobd anew",
)  # fmt: skip


@pytest.fixture
def meter(daemon: FakeDaemon, phone: FakePhone) -> FakeDeviceOffice:
    """The one paired device, 'pixel', with copies."""
    make_meter(daemon.offices["pixel"])
    return daemon.offices["pixel"]


async def test_how_copies_stand(fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice) -> None:
    daemon.integrity.now = VALIDATED
    ended = await fob("integrity", "status")
    assert ended.out.splitlines() == [
        "WHERE          PROGRAM  VERSION  STATE          VALIDATED            TICKET UNTIL         COPY",
        f"this computer  fobd     0.1.0    valid          2030-03-17 17:46:40  2030-03-18 17:46:40  {'22' * 16}",
        "pixel          rate     1.2.0    valid          2030-03-17 17:46:40  2030-03-18 17:46:40  "
        "000102030405060708090a0b0c0d0e0f",
        f"pixel          slogan   2.0.1    cloned         -                    -                    {'00' * 16}",
        "pixel          zones    1.0.0    not-validated  -                    -",
        f"'pixel' does not let 'slogan' run: {CLONED}    try: ask who runs the office",
        "'pixel' does not let 'zones' run: somebody has to type the letter of this copy in (needs-letter)    "
        "try: fob integrity letter zones",
    ]
    answer = (await fob("integrity", "status", "--json")).json
    assert (answer["own"]["state"], answer["unasked"]) == ("valid", [])
    assert [copy["state"] for copy in answer["devices"][0]["copies"]] == ["valid", "cloned", "not-validated"]


async def test_a_phone_that_waits_for_its_first_validation_still_runs_its_program(
    fob: FobProgram, meter: FakeDeviceOffice
) -> None:
    meter.handlers["+FOBCOPIES"] = saying(("fob-device", "0.1.0", bytes(16), "waiting", "needs-letter", None, None))
    assert (await fob("integrity", "status")).out.splitlines()[-1] == (
        "'pixel' still lets 'fob-device' run: somebody has to type the letter of this copy in (needs-letter)    "
        "try: fob integrity letter fob-device"
    )


@pytest.mark.clause("V16")
async def test_what_goes_on_without_its_office_and_what_is_refused_for_it(
    fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice
) -> None:
    own = ("fob-device", "0.1.0", bytes(16), "valid", "unreachable", None, None)
    meter.handlers["+FOBCOPIES"] = saying(own, ("rate", "1.2.0", bytes(16), "not-validated", "unreachable", None, None))
    daemon.integrity.now = replace(VALIDATED, why=AWAY, next="fob doctor")
    assert (await fob("integrity", "status")).out.splitlines()[-3:] == [
        f"fobd was not validated: {AWAY}    try: fob doctor",
        f"'pixel' still lets 'fob-device' run: {AWAY}    try: fob doctor",
        f"'pixel' does not let 'rate' run: {AWAY}    try: fob doctor",
    ]
    daemon.integrity.now = replace(VALIDATED, state="not-validated", enabled=False, why=AWAY, next="fob doctor")
    assert f"\nfobd uses no key of any phone: {AWAY}    try: fob doctor\n" in (await fob("integrity", "status")).out


@pytest.mark.clause("V16")
async def test_the_doctor_says_why_a_phone_uses_no_key(
    fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice
) -> None:
    quiet = RelayReport("pixel", False, 1, 0, "", "", 0, 0, "answered", "", 0)
    refused = {"fob-device": "not-validated"}
    daemon.office_report = OfficeReport("https://office", "", (replace(quiet, refused=refused),))

    async def finding() -> tuple[str, str, str]:
        what = "'pixel' does not let 'fob-device' run"
        [found] = [one for one in (await fob("doctor", "--json")).json["findings"] if one["what"] == what]
        return found["outcome"], found["why"], found["next"]

    no_yes = "the office has not said yet that this copy is genuine (not-validated)"
    assert await finding() == ("fail", no_yes, "fob integrity validate")
    own = ("fob-device", "0.1.0", bytes(16), "not-validated", "unreachable", None, None)
    meter.handlers["+FOBCOPIES"] = saying(own)
    assert await finding() == ("fail", AWAY, "fob integrity validate")


async def test_a_computer_that_is_not_enrolled_and_a_phone_without_copies(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob("integrity", "status")
    assert ended.out == "this computer's fobd is not enrolled    to do it: fob integrity enrol\n"
    assert ended.err.startswith("'pixel' was not asked: 'pixel' has no copies: it has no back office")
    assert (await fob("integrity", "status", "--json")).json["unasked"][0]["next"] == "fob office status"
    ended = await fob("integrity", "status", "--device", "pixel")
    assert (ended.code, ended.error[0]) == (1, "the copies of 'pixel' were not listed")


async def test_a_validation(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    ended = await fob("integrity", "validate", "rate")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines() == [
        "Waiting for the office to validate 'rate' of 'pixel' ...",
        "rate 1.2.0 on 'pixel': valid, until 2030-03-18 17:46:40",
    ]
    assert (await fob("integrity", "validate", "rate", "--json")).json["state"] == "valid"
    ended = await fob("integrity", "validate", "slogan")
    assert (ended.code, ended.error) == (1, ["'slogan' was not validated", CLONED, "ask who runs the office"])


def test_a_command_that_waits_says_each_reason_once() -> None:
    said: list[str] = []
    told = Told("pixel", said.append, tells_relays=True)
    for device, why in (
        ("pixel", "it hung up"),
        ("pixel", "it hung up"),
        ("nokia", "?"),
        ("pixel", ""),
        ("pixel", "x"),
    ):
        told.hear(ServerEvent("relay", {"device": device, "why": why}))
    told.hear(ServerEvent("ask", {"device": "pixel", "words": "unlock", "seconds": 60}))
    Told("pixel", said.append, tells_relays=False).hear(ServerEvent("relay", {"device": "pixel", "why": "y"}))
    assert said == [
        "The office did not answer: it hung up; it is tried again ...",
        "The office did not answer: x; it is tried again ...",
        "Look at your phone: unlock (60 s)",
    ]


async def test_a_validation_of_all(fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice) -> None:
    daemon.integrity.now = replace(VALIDATED, state="not-validated")
    ended = await fob("integrity", "validate")
    assert ended.code == 1
    assert [line for line in ended.err.splitlines() if not line.startswith("Waiting")][:2] == [
        "fobd 0.1.0 on this computer: valid, until 2030-03-18 17:46:40",
        "rate 1.2.0 on 'pixel': valid, until 2030-03-18 17:46:40",
    ]
    assert ended.error[0] == "'slogan' was not validated"
    answer = (await fob("integrity", "validate", "--device", "pixel", "--json")).json
    assert [copy["program"] for copy in answer["validated"]] == ["rate", "zones"]
    assert [error["why"] for error in answer["refused"]] == [CLONED]


async def test_nothing_to_validate(fob: FobProgram, phone: FakePhone) -> None:
    ended = await fob("integrity", "validate")
    assert (ended.code, ended.error[0]) == (7, "there is nothing to validate")


async def test_a_letter_comes_from_standard_input(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    arrived: list[Values] = []

    def take(values: Values) -> tuple[Values, ...]:
        arrived.append(values)
        return ()

    meter.handlers["+FOBLETTER"] = take
    ended = await fob("integrity", "letter", "zones", stdin=LETTER + "\n")
    assert (ended.code, arrived) == (0, [("zones", LETTER)])
    assert ended.err == "zones 1.0.0 on 'pixel': not-validated\n"
    meter.handlers["+FOBLETTER"] = refusing(Ckr.FUNCTION_REJECTED, "letter-used")
    ended = await fob("integrity", "letter", "zones", stdin=LETTER)
    assert (ended.code, ended.error[1]) == (1, "this letter was used before, or is over (letter-used)")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "nobody answered: there is no terminal, or standard input is at its end"),
        (LETTER[:-1], "a letter has 56 characters, this one has 55"),
        (LETTER.replace("A", "B", 1), "a character is wrong, or some are swapped"),
        (LETTER + "1", "a letter has the letters A to Z and the digits 2 to 7"),
    ],
)
async def test_what_is_no_letter_does_not_leave_this_computer(
    fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice, typed: str, why: str
) -> None:
    for command in (("letter", "zones"), ("enrol",)):
        ended = await fob("integrity", *command, stdin=typed)
        assert (ended.code, ended.error[1]) == (2, why)
        assert LETTER[:20] not in ended.err
    assert ("+FOBLETTER" in meter.asked, daemon.integrity.enrolled) == (False, [])


async def test_no_letter_in_an_argument_list(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    assert (await fob("integrity", "letter", "zones", LETTER)).code == 2
    assert (await fob("integrity", "enrol", LETTER)).code == 2


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of a configuration server."""
    path = tmp_path / "certificate"
    path.write_bytes(b"signed")
    return path


async def test_an_enrolment(fob: FobProgram, daemon: FakeDaemon, certificate: Path) -> None:
    ended = await fob("integrity", "enrol", stdin=LETTER)
    assert (ended.code, ended.err) == (
        0, "fobd 0.1.0 on this computer: valid, until 2030-03-18 17:46:40\n",
    )  # fmt: skip
    told = ("--issuer", "07" * 32, "--certificate", str(certificate))
    assert (await fob("--json", "integrity", "enrol", *told, stdin=LETTER)).json["enrolled"]
    assert daemon.integrity.enrolled == [(LETTER, None, None), (LETTER, bytes([7]) * 32, b"signed")]


@pytest.mark.parametrize("told", [("--issuer", "07" * 31), ("--issuer", "x"), ("--certificate", "/nowhere")])
async def test_what_nobody_can_enrol_with(fob: FobProgram, daemon: FakeDaemon, told: tuple[str, str]) -> None:
    ended = await fob("integrity", "enrol", *told, stdin=LETTER)
    assert (ended.code, daemon.integrity.enrolled) == (2, [])


async def test_an_enrolment_that_is_refused(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.integrity.error = ControlError("fobd was not enrolled", "this letter was used before", "ask for another")
    ended = await fob("integrity", "enrol", stdin=LETTER)
    assert (ended.code, ended.error[0]) == (1, "fobd was not enrolled")


async def test_the_status_says_in_a_line_which_copy_is_refused_why_and_what_helps(
    fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice
) -> None:
    quiet = RelayReport("pixel", False, 1, 0, "", "", 0, 0, "answered", "", 0)
    daemon.office_report = OfficeReport("https://office", "", (replace(quiet, refused={"rate": "disabled"}),))
    assert "fobd" not in (await fob("status")).out.split("\n", 1)[1]
    daemon.integrity.now = REFUSED_OWN
    lines = (await fob("status")).out.splitlines()
    assert [line for line in lines if "    try: " in line] == [
        f"fobd uses no key of any phone: {REFUSED_OWN.why}    try: install fobd anew",
        "'pixel' does not let 'rate' run: the office has disabled this copy (disabled)    try: ask who runs the office",
    ]
    assert meter.asked == []
    daemon.integrity.now = replace(VALIDATED, why="the office cannot be reached", next="fob doctor")
    assert "fobd was not validated: the office cannot be reached    try: fob doctor" in (await fob("status")).out


async def test_what_is_wrong_with_a_phone_s_own_program_no_configuration_mends(
    fob: FobProgram, daemon: FakeDaemon, meter: FakeDeviceOffice
) -> None:
    quiet = RelayReport("pixel", False, 1, 0, "", "", 0, 0, "answered", "", 0)
    daemon.office_report = OfficeReport("https://office", "", (replace(quiet, refused={"fob-device": "invalid"}),))
    assert "try: install the phone's program anew, restart it" in (await fob("status")).out
    [found] = [one for one in (await fob("doctor", "--json")).json["findings"] if "fob-device" in one["what"]]
    assert (found["outcome"], found["what"]) == ("fail", "'pixel' does not let 'fob-device' run")
    assert found["next"].startswith("install the phone's program anew")


async def test_programs_are_offered(fob: FobProgram, meter: FakeDeviceOffice) -> None:
    for line in ("fob integrity validate ", "fob ticket get ", "fob integrity letter "):
        fob.environment |= {"_FOB_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": "3"}
        assert (await fob()).out.split() == ["plain,rate", "plain,slogan", "plain,zones"]


async def test_a_copy_that_stands_otherwise_is_a_line_of_the_monitor(
    fob: FobProgram, daemon: FakeDaemon, phone: FakePhone
) -> None:
    process = await fob.start("monitor", "--lines")
    assert process.stdout is not None
    assert await daemon.followers.get() == 1
    daemon.announce(IntegrityChange("pixel", "rate", "disabled"))
    line = (await process.stdout.readline()).decode()
    assert line[len("12:34:56") :] == "  integrity  pixel  rate  disabled\n"
    process.kill()
    await process.communicate()


async def test_git_is_told_that_it_was_not_the_person_who_refused(daemon: FakeDaemon, fob: FobProgram) -> None:
    daemon.integrity.now = REFUSED_OWN
    asking = Fob({"FOB_CONTROL_SOCKET": str(fob.control)})
    refusal = await asyncio.to_thread(why_not_signed, asking, "key", 0, "")
    assert (refusal.why, refusal.next_command) == (
        f"fobd uses no key of any phone: {REFUSED_OWN.why}", "install fobd anew",
    )  # fmt: skip

"""`fob doctor` and the back office: quiet where there is none, and exact about what keeps one from being reached."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import FakeDaemon
from control.fake_phone import FakePhone
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome, no_office
from fob_daemon.cli.checks.office import check_office
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.office_reports import OfficeCheck, OfficeReport
from relay.certificates import TestIssuer

URL = "https://office.example"
AskOffice = Callable[[], tuple[dict[str, Any], dict[str, Any]]]
REACHED = {"url": URL, "reachable": True, "why": "", "milliseconds": 12.4}


def machine(folder: Path, *, is_reached: bool = True, ask: AskOffice = no_office) -> Machine:
    """A machine whose daemon, if it is there, is asked so."""
    control, provider, agent = (folder / f"{name}.sock" for name in ("control", "provider", "agent"))
    status: dict[str, Any] | None = {"devices": []} if is_reached else None
    return Machine({}, 1000, folder, control, provider, agent, status, ask_office=ask)


def found(folder: Path, ca_file: str = "", certificate: str = "", **answer: Any) -> list[Finding]:
    """What is said of a machine whose office answers so."""
    office = {"url": URL, "ca_file": ca_file, "relays": [], "certificate": certificate}
    return list(check_office(machine(folder, ask=lambda: (office, REACHED | answer))))


def test_one_that_answers(tmp_path: Path) -> None:
    assert found(tmp_path) == [Finding(Outcome.OK, "back office", f"{URL} answers, in 12 ms")]


@pytest.mark.parametrize("why", ["its name is not known", "its certificate is not good: self-signed certificate"])
def test_one_that_does_not(tmp_path: Path, why: str) -> None:
    [finding] = found(tmp_path, reachable=False, why=why)
    assert (finding.outcome, finding.what, finding.why) == (
        Outcome.FAIL,
        "the back office does not answer",
        f"{URL}: {why}",
    )
    assert finding.next.startswith(f"curl -sv {URL} ")


def test_the_file_with_its_issuer(tmp_path: Path) -> None:
    ca_file = tmp_path / "the office.pem"
    missing, unanswered = found(tmp_path, str(ca_file), reachable=False, why="no file")
    assert (missing.outcome, missing.what) == (
        Outcome.FAIL,
        "the certificates of the back office's issuer are missing",
    )
    # What is advised goes by the file that the daemon goes by.
    assert unanswered.next.startswith(f"curl -sv --cacert '{ca_file}' {URL} ")
    ca_file.write_text("pinned: yes\n")
    empty, unanswered = found(tmp_path, str(ca_file), reachable=False, why=f"{ca_file}: it holds no certificates")
    assert (empty.outcome, empty.what, empty.next) == (
        Outcome.FAIL,
        "the file of the back office's issuer holds no certificates",
        missing.next,
    )
    assert unanswered.outcome is Outcome.FAIL
    assert TestIssuer.made(tmp_path, "the office").ca_file == ca_file
    assert [finding.outcome for finding in found(tmp_path, str(ca_file))] == [Outcome.OK]


def test_a_file_that_only_the_daemon_may_read_is_not_blamed(tmp_path: Path) -> None:
    """Nor is what lies in a folder that this user may not look into: here one with no end."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert [finding.outcome for finding in found(tmp_path, str(loop), str(loop))] == [Outcome.OK]


def test_the_certificate_that_fobd_is_enrolled_by(tmp_path: Path) -> None:
    certificate = tmp_path / "configuration.cert"
    missing, reached = found(tmp_path, certificate=str(certificate))
    assert (missing.outcome, missing.why, reached.outcome) == (
        Outcome.WARN,
        f"there is no {certificate}, which [office] certificate names: fobd cannot be enrolled",
        Outcome.OK,
    )
    assert missing.next.endswith(f"{certificate}: fob-office server certificate configuration")
    certificate.touch()
    assert [finding.outcome for finding in found(tmp_path, certificate=str(certificate))] == [Outcome.OK]


def test_a_daemon_that_is_older_or_away(tmp_path: Path) -> None:
    def refuse() -> tuple[dict[str, Any], dict[str, Any]]:
        raise ControlError(
            "the request is not understood", "there is nothing at this path", "fob doctor", ExitCode.USAGE
        )

    [finding] = check_office(machine(tmp_path, ask=refuse))
    assert (finding.outcome, finding.why) == (Outcome.WARN, "there is nothing at this path")
    [finding] = check_office(machine(tmp_path, is_reached=False))
    assert finding.outcome is Outcome.SKIP
    [finding] = check_office(machine(tmp_path))
    assert (finding.outcome, finding.why) == (Outcome.SKIP, "none is configured")


async def test_the_daemon_is_who_is_asked(fob: FobProgram, daemon: FakeDaemon, phone: FakePhone) -> None:
    findings = (await fob("doctor", "--json")).json["findings"]
    [finding] = [finding for finding in findings if finding["what"] == "back office"]
    assert (finding["outcome"], finding["why"]) == ("skip", "none is configured")
    daemon.office_report = OfficeReport(URL, "", ())
    daemon.office_check = OfficeCheck(URL, False, "no answer in 10 s", 10_000.0)
    findings = (await fob("doctor", "--json")).json["findings"]
    [finding] = [finding for finding in findings if finding["what"] == "the back office does not answer"]
    assert finding["why"] == f"{URL}: no answer in 10 s"

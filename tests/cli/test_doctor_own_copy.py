"""`fob doctor` on this computer's own copy of fobd."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.fob_program import FobProgram
from control.fake_daemon import NOT_ENROLLED, VALIDATED, FakeDaemon
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.own_copy import check_own_copy
from fob_daemon.control.errors import ControlError
from fob_daemon.control.integrity_reports import OwnCopyReport
from fob_daemon.control.json_form import to_json

WHY, NEXT = "what is installed is not what the office gave out (invalid)", "install fobd anew"


def finding(own: OwnCopyReport | ControlError, status: dict[str, Any] | None = None) -> Finding:
    def ask() -> Any:
        if isinstance(own, ControlError):
            raise own
        return to_json(own)

    place = Path("/nowhere")
    machine = Machine({}, 1000, place, place, place, place, {"devices": []} if status is None else None)
    [found] = check_own_copy(replace(machine, ask_own_copy=ask))
    return found


@pytest.mark.clause("V16")
def test_a_copy_that_is_refused_is_a_failure_with_its_remedy() -> None:
    refused = replace(VALIDATED, state="invalid", enabled=False, why=WHY, next=NEXT)
    assert finding(refused) == Finding(Outcome.FAIL, "fobd uses no key of any phone", WHY, NEXT)


def test_what_else_there_is_to_say() -> None:
    assert finding(NOT_ENROLLED).outcome is Outcome.SKIP
    assert finding(VALIDATED) == Finding(Outcome.OK, "copy of fobd", "0.1.0 is what the office gave out")
    away = replace(VALIDATED, why="the office cannot be reached (unreachable)", next="fob doctor")
    assert finding(away) == Finding(Outcome.WARN, "fobd was not validated", away.why, "fob integrity validate")
    assert finding(ControlError("no", "it hung up", "fob doctor")).outcome is Outcome.WARN
    assert finding(VALIDATED, {}).outcome is Outcome.SKIP


async def test_it_is_among_the_checks(fob: FobProgram, daemon: FakeDaemon) -> None:
    daemon.integrity.now = replace(VALIDATED, enabled=False, why=WHY, next=NEXT)
    findings = (await fob("doctor", "--json")).json["findings"]
    [found] = [found for found in findings if found["what"] == "fobd uses no key of any phone"]
    assert (found["outcome"], found["why"], found["next"]) == ("fail", WHY, NEXT)

"""`fob doctor`: look at everything that has to be right, and say how to mend what is not."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from fob_daemon.cli.checks.clock import check_clock, check_phone_clocks
from fob_daemon.cli.checks.configuration import check_configuration
from fob_daemon.cli.checks.copies import check_copies
from fob_daemon.cli.checks.daemon import check_daemon
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.git import check_git
from fob_daemon.cli.checks.links import check_links
from fob_daemon.cli.checks.meter import check_meters
from fob_daemon.cli.checks.office import check_office
from fob_daemon.cli.checks.own_copy import check_own_copy
from fob_daemon.cli.checks.p11_kit import check_client, check_module_file
from fob_daemon.cli.checks.permissions import check_permissions
from fob_daemon.cli.checks.serial_lines import check_modem_manager, check_serial_lines
from fob_daemon.cli.checks.service import check_service
from fob_daemon.cli.checks.sockets import check_agent_login, check_agent_variable, check_sockets
from fob_daemon.cli.checks.ssh import check_ssh
from fob_daemon.cli.clock_skew import skew_of
from fob_daemon.cli.context import Fob, json_option
from fob_daemon.cli.mending import mend
from fob_daemon.cli.options import options_of
from fob_daemon.cli.output import coloured
from fob_daemon.control.errors import ControlError, ExitCode

# The longest outcome, and room.
MARGIN: Final = 6

CHECKS: Final[tuple[Callable[[Machine], Iterator[Finding]], ...]] = (
    # Before what starts the daemon again.
    check_permissions,
    check_daemon,
    check_service,
    check_configuration,
    check_sockets,
    check_links,
    check_serial_lines,
    check_modem_manager,
    check_office,
    check_own_copy,
    check_copies,
    check_meters,
    check_client,
    check_module_file,
    check_agent_variable,
    check_ssh,
    check_agent_login,
    check_git,
    check_clock,
    check_phone_clocks,
)


@click.command(short_help="Check everything that has to be right, and mend it.")
@click.option("--fix", is_flag=True, help="Mend what can be mended without root: shows each remedy, and asks.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@json_option
@click.pass_obj
def doctor(fob: Fob, fix: bool, yes: bool) -> int:
    """Check daemon, configuration, sockets, devices, Bluetooth, serial lines, p11-kit, ssh, git and clock.

    Back office, copies of programs and meters too, where there are some. Each trouble comes with why, and with the next
    command. The exit code is 1 when something fails; with --fix, when something fails still.
    """
    if yes and not fix:
        raise click.UsageError("--yes is for --fix")
    findings = _look(fob, is_shown=not fob.output.is_json)
    if not fix:
        if fob.output.is_json:
            fob.output.data({"findings": list(map(_to_json, findings))})
        elif any(finding.is_trouble and finding.fix for finding in findings):
            fob.output.say("Some of this can be mended at once.    try: fob doctor --fix")
        return _exit_code(findings)
    mended = mend(fob, findings, yes)
    now = _look(fob, is_shown=False)
    if fob.output.is_json:
        fob.output.data({"findings": list(map(_to_json, now)), **mended.to_json()})
    return _exit_code(now)


def _look(fob: Fob, *, is_shown: bool) -> list[Finding]:
    """All that there is to say, shown as it is found."""
    machine = _machine(fob)
    findings = []
    for check in CHECKS:
        for finding in map(_with_a_fix_that_can_be, check(machine)):
            findings.append(finding)
            if is_shown:
                _show(fob, finding)
    return findings


def _with_a_fix_that_can_be(finding: Finding) -> Finding:
    """A remedy that cannot be told in full, because of what is in its place, is for a person; the others go on."""
    try:
        _lines(finding)
    except ControlError as error:
        why = f"{finding.why}; fob cannot mend it: {error.what}: {error.why}"
    else:
        return finding
    return replace(finding, why=why, fix=None)


def _lines(finding: Finding) -> list[str] | None:
    return None if finding.fix is None else list(finding.fix.lines)


def _exit_code(findings: Sequence[Finding]) -> int:
    failed = any(finding.outcome is Outcome.FAIL for finding in findings)
    return ExitCode.FAILED if failed else ExitCode.OK


def _to_json(finding: Finding) -> dict[str, object]:
    told = {"outcome": finding.outcome, "what": finding.what, "why": finding.why, "next": finding.next}
    return {**told, "fix": _lines(finding)}


def _machine(fob: Fob) -> Machine:
    try:
        status, refusal = fob.client.get("status"), None
    except ControlError as error:
        status, refusal = None, error
    provider, agent = (
        (status["provider_socket"], status["agent_socket"]) if status else (fob.paths.provider, fob.paths.agent)
    )
    sockets = fob.paths.control, Path(provider), Path(agent)
    return Machine(
        fob.environment, os.getuid(), Path("/"), *sockets, status, refusal,
        skew_of=partial(skew_of, fob),
        ask_office=partial(_ask_office, fob),
        state=fob.paths.state,
        ask_own_copy=partial(fob.client.get, "integrity"),
        ask_relays=partial(_ask_relays, fob),
        ask_meters=partial(_ask_meters, fob),
        ask_copies=partial(_ask_copies, fob),
    )  # fmt: skip


def _ask_office(fob: Fob) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is configured, and whether it answers the daemon. Raises ControlError."""
    return fob.client.get("office"), fob.client.post("office", "check", body={})


def _ask_relays(fob: Fob) -> list[dict[str, Any]]:
    """What the devices told of their offices last. Raises ControlError."""
    return list(fob.client.get("office")["relays"])


def _ask_meters(fob: Fob) -> list[dict[str, Any]]:
    """As devices that are here tell now, and others told last. Raises ControlError."""
    found: list[dict[str, Any]] = fob.client.get("meters")["meters"]
    for report in found:
        with suppress(ControlError):
            report["meter"] = fob.client.get_from_device("devices", report["device"], "meter")["meter"]
    return found


def _ask_copies(fob: Fob, device: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The components that run there, and how copies stand; two round trips. Raises ControlError."""
    copies: list[dict[str, Any]] = fob.client.get_from_device("devices", device, "copies")["copies"]
    return options_of(fob, device), copies


def _show(fob: Fob, finding: Finding) -> None:
    margin = " " * (MARGIN - len(finding.outcome))
    if finding.is_trouble:
        fob.output.line(coloured(finding.outcome), f"{margin}{finding.what}")
        fob.output.line(f"{' ' * MARGIN}why:   {finding.why}")
    else:
        fob.output.line(coloured(finding.outcome), f"{margin}{finding.what}: {finding.why}")
    if finding.next:
        fob.output.line(f"{' ' * MARGIN}try:   {finding.next}")

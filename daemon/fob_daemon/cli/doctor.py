"""`fob doctor`: look at everything that has to be right, and say how to mend what is not."""

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from fob_daemon.cli.checks.bluetooth import check_bluetooth
from fob_daemon.cli.checks.clock import check_clock
from fob_daemon.cli.checks.daemon import check_daemon, check_devices
from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.checks.p11_kit import check_client, check_module_file
from fob_daemon.cli.checks.serial_lines import check_modem_manager, check_serial_lines
from fob_daemon.cli.checks.sockets import check_agent_login, check_agent_variable, check_sockets
from fob_daemon.cli.context import Fob, json_option
from fob_daemon.cli.output import coloured
from fob_daemon.control.errors import ControlError, ExitCode

# The longest outcome, and room.
MARGIN: Final = 6

CHECKS: Final[tuple[Callable[[Machine], Iterator[Finding]], ...]] = (
    check_daemon,
    check_sockets,
    check_devices,
    check_bluetooth,
    check_serial_lines,
    check_modem_manager,
    check_client,
    check_module_file,
    check_agent_variable,
    check_agent_login,
    check_clock,
)


@click.command()
@json_option
@click.pass_obj
def doctor(fob: Fob) -> int:
    """Check daemon, sockets, devices, Bluetooth, serial lines, p11-kit, ssh and clock.

    The exit code is 1 when something fails.
    """
    machine = _machine(fob)
    findings = []
    for check in CHECKS:
        for finding in check(machine):
            findings.append(finding)
            if not fob.output.is_json:
                _show(fob, finding)
    if fob.output.is_json:
        fob.output.data({"findings": [asdict(finding) for finding in findings]})
    failed = any(finding.outcome is Outcome.FAIL for finding in findings)
    return ExitCode.FAILED if failed else ExitCode.OK


def _machine(fob: Fob) -> Machine:
    try:
        status, refusal = fob.client.get("status"), None
    except ControlError as error:
        status, refusal = None, error
    provider, agent = (
        (status["provider_socket"], status["agent_socket"]) if status else (fob.paths.provider, fob.paths.agent)
    )
    sockets = fob.paths.control, Path(provider), Path(agent)
    return Machine(fob.environment, os.getuid(), Path("/"), *sockets, status, refusal)


def _show(fob: Fob, finding: Finding) -> None:
    margin = " " * (MARGIN - len(finding.outcome))
    if finding.is_trouble:
        fob.output.line(coloured(finding.outcome), f"{margin}{finding.what}")
        fob.output.line(f"{' ' * MARGIN}why:   {finding.why}")
    else:
        fob.output.line(coloured(finding.outcome), f"{margin}{finding.what}: {finding.why}")
    if finding.next:
        fob.output.line(f"{' ' * MARGIN}try:   {finding.next}")

"""The back office, where one is configured: does it answer the daemon, which is who has to reach it?"""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.control.errors import ControlError, ExitCode

_NAME: Final = "back office"


def check_office(machine: Machine) -> Iterator[Finding]:
    """One quiet line where none is configured; a device with a network of its own needs none here."""
    if machine.status is None:
        yield Finding(Outcome.SKIP, _NAME, "the daemon is not reachable")
        return
    try:
        office, answer = machine.ask_office()
    except ControlError as error:
        if error.exit_code is ExitCode.NOTHING_TO_DO:
            yield Finding(Outcome.SKIP, _NAME, "none is configured")
        else:
            yield Finding(Outcome.WARN, "the back office could not be checked", error.why, error.next_command)
        return
    if office["ca_file"]:
        yield from _ca_file(Path(office["ca_file"]))
    yield _reached(machine, answer)


def _ca_file(path: Path) -> Iterator[Finding]:
    """Who says nothing of it: the daemon could read it, and this user may not."""
    if not path.exists():
        what = "the certificates of the back office's issuer are missing"
        yield Finding(Outcome.FAIL, what, f"there is no {path}, which [office] ca_file names", _ca_remedy(path))


def _ca_remedy(path: Path) -> str:
    return f"put the issuer's certificate into {shlex.quote(str(path))} (docs/configuration.md)"


def _reached(machine: Machine, answer: dict[str, Any]) -> Finding:
    url = answer["url"]
    if answer["reachable"]:
        return Finding(Outcome.OK, _NAME, f"{url} answers, in {answer['milliseconds']:.0f} ms")
    remedy = f"curl -sv {shlex.quote(url)} -o /dev/null    (and see docs/configuration.md)"
    return Finding(Outcome.FAIL, "the back office does not answer", f"{url}: {answer['why']}", remedy)

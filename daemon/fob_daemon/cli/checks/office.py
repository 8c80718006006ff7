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
    ca_file = office["ca_file"]
    if ca_file:
        yield from _ca_file(Path(ca_file))
    if office.get("certificate"):
        yield from _certificate(Path(office["certificate"]))
    yield _reached(ca_file, answer)


def _ca_file(path: Path) -> Iterator[Finding]:
    """Who says nothing of it: the daemon could read it, and this user may not."""
    remedy = f"put the issuer's certificate into {shlex.quote(str(path))} (docs/configuration.md)"
    if _is_missing(path):
        what = "the certificates of the back office's issuer are missing"
        yield Finding(Outcome.FAIL, what, f"there is no {path}, which [office] ca_file names", remedy)
    elif not _holds_certificates(path):
        what = "the file of the back office's issuer holds no certificates"
        yield Finding(Outcome.FAIL, what, f"none is in {path}, which [office] ca_file names", remedy)


def _certificate(path: Path) -> Iterator[Finding]:
    """It is read when `fobd` is enrolled, and not before."""
    if _is_missing(path):
        what = "the certificate of the back office's configuration server is missing"
        why = f"there is no {path}, which [office] certificate names: fobd cannot be enrolled"
        remedy = f"put what the operator has into {shlex.quote(str(path))}: fob-office server certificate configuration"
        yield Finding(Outcome.WARN, what, why, remedy)


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        # In a folder that this user may not look into.
        return False
    return False


def _holds_certificates(path: Path) -> bool:
    """As the daemon reads it; also what this user may not read."""
    # Most calls of the program never need it.
    import ssl

    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return False
    except OSError:
        return True
    return True


def _reached(ca_file: str, answer: dict[str, Any]) -> Finding:
    url = answer["url"]
    if answer["reachable"]:
        return Finding(Outcome.OK, _NAME, f"{url} answers, in {answer['milliseconds']:.0f} ms")
    # By the certificates that the daemon goes by.
    issuers = f"--cacert {shlex.quote(ca_file)} " if ca_file else ""
    remedy = f"curl -sv {issuers}{shlex.quote(url)} -o /dev/null    (and see docs/configuration.md)"
    return Finding(Outcome.FAIL, "the back office does not answer", f"{url}: {answer['why']}", remedy)

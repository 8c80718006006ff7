"""Does an office answer at the configured address? Asked by a question that nobody has sealed."""

import asyncio
import time
from http import HTTPStatus
from typing import Final

from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.office_reports import OfficeCheck
from fob_daemon.relay.outcome import Office, Outcome
from fob_protocol.relay import RelayStatus

# A person waits for it.
CHECK_TIME: Final = 10.0
# Every configuration server has it (docs/office-protocol.md, section 3.1).
_SERVICE: Final = "directory"
# Opens with none of an office's keys, so the answer is a plain 400 (section 3), or that the office is busy.
_NO_QUESTION: Final = b"\0"
_OFFICES_ANSWERS: Final = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
)


async def check_office(url: str, office: Office) -> OfficeCheck:
    """Never raises but when cancelled."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(CHECK_TIME):
            outcome = await office.post(_SERVICE, _NO_QUESTION)
    except TimeoutError:
        outcome = Outcome(RelayStatus.UNREACHABLE, why=f"no answer in {CHECK_TIME:g} s")
    took = round((time.monotonic() - began) * 1000, 1)
    reachable = outcome.http in _OFFICES_ANSWERS
    return OfficeCheck(url, reachable, "" if reachable else outcome.why or "what answers there is no office", took)


def no_office() -> ControlError:
    """What was asked needs an office, and the configuration names none."""
    why = "the configuration of fobd has no [office] url"
    remedy = "set it in fobd.toml (docs/configuration.md), and restart fobd"
    return ControlError("there is no office", why, remedy, ExitCode.NOTHING_TO_DO)

"""The clock: certificates, tickets and the log depend on it."""

import time
from collections.abc import Iterator
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome

# 2026-01-01: this program is younger, so a clock before it is wrong.
EARLIEST: Final = 1_767_225_600
_SYNCHRONIZED: Final = "run/systemd/timesync/synchronized"


def check_clock(machine: Machine) -> Iterator[Finding]:
    """Not in the past; kept by the network where that can be seen."""
    now = time.time()
    words = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    if now < EARLIEST:
        yield Finding(
            Outcome.FAIL,
            "the clock is wrong",
            f"it says {words}, when Fob was not made yet",
            "sudo timedatectl set-ntp true",
        )
    elif (machine.root / _SYNCHRONIZED).exists():
        yield Finding(Outcome.OK, "clock", f"says {words}, kept by the network")
    else:
        yield Finding(Outcome.SKIP, "clock", f"says {words}; who keeps it is not known", "timedatectl status")

"""The clock: certificates, tickets and the log depend on it."""

import time
from collections.abc import Iterator
from typing import Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.cli.durations import moment, time_left

# 2026-01-01: this program is younger, so a clock before it is wrong.
EARLIEST: Final = 1_767_225_600
# Seconds. Nobody notices less in a history.
MOST_SKEW: Final = 120.0

_SYNCHRONIZED: Final = "run/systemd/timesync/synchronized"


def check_phone_clocks(machine: Machine) -> Iterator[Finding]:
    """Near this computer's, where a use of a key tells."""
    for device in machine.devices:
        skew = machine.skew_of(device)
        if skew is None:
            continue
        if abs(skew) <= MOST_SKEW:
            yield Finding(Outcome.OK, f"clock of '{device['name']}'", "as this computer's")
        else:
            what = f"the clocks of '{device['name']}' and of this computer differ"
            side = "ahead" if skew > 0 else "behind"
            why = f"the phone's is {time_left(abs(skew))} {side}, and so are the times in its history"
            yield Finding(Outcome.WARN, what, why, "set the one that is wrong")


def check_clock(machine: Machine) -> Iterator[Finding]:
    """Not in the past; kept by the network where that can be seen."""
    now = time.time()
    words = moment(now)
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

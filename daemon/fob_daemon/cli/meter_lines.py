"""What `fob status` says of meters, as their devices told last; no round trip."""

from collections.abc import Iterator
from typing import Any

from fob_daemon.cli.context import Fob

Report = dict[str, Any]


def meter_lines(fob: Fob) -> Iterator[str]:
    """A line for each, and one for what is the matter with it."""
    found: list[Report] = fob.client.get("meters")["meters"]
    if not found:
        return
    # Loaded where there is one.
    from fob_daemon.cli.metering.words import left, letters, money, some, state_of
    from fob_daemon.metering.limits import RESUME

    for report in found:
        meter, device = report["meter"], report["device"]
        used = f"{money(meter, meter['ascending'])} used for {letters(meter['pieces'])}"
        state = "" if state_of(meter) in ("active", "not known yet") else f", {state_of(meter)}"
        yield f"'{device}' has meter {meter['serial']}{state}: {left(meter)}, {used}"
        if meter["fault"]:
            yield f"'{device}' does not believe its data centre: {meter['fault']}    try: fob meter status"
        if report["waiting"]:
            yield f"{some(report['waiting'], 'of a batch waits', 'of a batch wait')} for '{device}'    try: {RESUME}"

"""Meters: does the device believe its data centre, is there money, may the component that rates be used?"""

import shlex
import time
from collections.abc import Iterator
from typing import Any, Final

from fob_daemon.cli.checks.finding import Finding, Machine, Outcome
from fob_daemon.control.errors import ControlError
from fob_daemon.metering.clock_words import ahead_words, set_clock
from fob_daemon.metering.limits import RATE_COMMAND, RESUME

_NAME: Final = "meter"
_REFILL: Final = "fob meter refill AMOUNT"
_RATES: Final = f"+{RATE_COMMAND}"


def check_meters(machine: Machine) -> Iterator[Finding]:
    """One quiet line where there is none."""
    if machine.status is None:
        yield Finding(Outcome.SKIP, _NAME, "the daemon is not reachable")
        return
    try:
        meters = machine.ask_meters()
    except ControlError as error:
        yield Finding(Outcome.WARN, "the meters could not be checked", error.why, error.next_command)
        return
    if not meters:
        yield Finding(Outcome.SKIP, _NAME, "no device has one")
    for report in meters:
        troubles = [*_troubles(report), *_ticket_troubles(machine, report["device"])]
        yield from troubles or [_fine(report)]


def _fine(report: dict[str, Any]) -> Finding:
    from fob_daemon.cli.metering.words import left

    meter = report["meter"]
    return Finding(Outcome.OK, _NAME, f"'{report['device']}' has {meter['serial']}, {left(meter)}")


def _troubles(report: dict[str, Any]) -> Iterator[Finding]:
    # Loaded where there is a meter.
    from fob_daemon.cli.metering.words import is_per_use, left, money, some, state_of
    from fob_daemon.control.meter_refusals import FAULTS

    meter, device = report["meter"], report["device"]
    if meter["ahead"]:
        why = f"{ahead_words(device, meter['ahead'])}: what it believes ends too early"
        yield Finding(Outcome.WARN, "a phone's clock is ahead", why, set_clock(device))
    if meter["fault"]:
        words, deed = FAULTS.get(meter["fault"], (meter["fault"], "fob meter status"))
        why = f"'{device}' franks nothing: {words} ({meter['fault']})"
        yield Finding(Outcome.FAIL, "the data centre is not consistent", why, deed)
    if state_of(meter) in ("stopped", "withdrawn"):
        why = f"{meter['serial']} of '{device}' is {state_of(meter)}"
        yield Finding(Outcome.WARN, "a meter franks nothing", why, "ask who runs the data centre")
    elif not is_per_use(meter) and meter["descending"] < max(report["last"], 1):
        last = f", and the last request cost {money(meter, report['last'])}" if report["last"] else ""
        why = f"{left(meter)} on {meter['serial']}{last}"
        yield Finding(Outcome.WARN, "a meter has not enough money", why, _REFILL)
    if report["waiting"]:
        why = f"{some(report['waiting'], 'is', 'are')} not franked yet for '{device}'"
        yield Finding(Outcome.WARN, "a batch was cut", why, RESUME)


def _ticket_troubles(machine: Machine, device: str) -> Iterator[Finding]:
    """What rates has a ticket that data centres take."""
    if not any(one["name"] == device and one["state"] == "ready" for one in machine.devices):
        return
    try:
        options, copies = machine.ask_copies(device)
    except ControlError as error:
        yield Finding(Outcome.WARN, "what rates could not be checked", error.why, error.next_command)
        return
    rating = {option["id"] for option in options if _RATES in option["commands"]}
    if not rating:
        why = f"no component on '{device}' has {_RATES}"
        yield Finding(Outcome.WARN, "nothing is rated", why, "fob office configure")
    for copy in copies:
        if copy["program"] in rating:
            yield from _copy_troubles(copy, device)


def _copy_troubles(copy: dict[str, Any], device: str) -> Iterator[Finding]:
    program = copy["program"]
    if copy["until"] is not None and copy["until"] < time.time():
        why = f"the ticket of '{program}' on '{device}' is over, and the data centre takes no old one"
        yield Finding(Outcome.WARN, "a ticket is stale", why, f"fob integrity validate {shlex.quote(program)}")

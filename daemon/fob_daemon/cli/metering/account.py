"""`fob meter terms`, `sign-up`, `sign-on`, `status` and `history`."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import click

from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.durations import day, moment
from fob_daemon.cli.metering.asking import meter_of, post, told, typed_amount
from fob_daemon.cli.metering.words import Report, batch_state, fields_of, money, some
from fob_daemon.cli.out_files import write_file
from fob_daemon.cli.pins import pin_option
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.json_form import Json
from fob_daemon.control.limits import MAX_SEQUENCE
from fob_daemon.control.meter_refusals import FAULTS
from fob_daemon.control.rules import fault_of_name
from fob_daemon.metering.limits import PLACE_RULE, RESUME
from fob_protocol.metering.amounts import amount_words
from fob_protocol.metering.indicium import is_place
from fob_protocol.metering.limits import HISTORY_LIMIT, LOGIN_NAME_LIMIT, ORIGINS_LIMIT
from fob_protocol.office.limits import ID_LIMIT

_PAYMENTS: Final = ("prepaid", "postpaid", "per-use")
# Transactions that a person reads at once, and the most of one command.
_SHOWN: Final = 20
_MOST: Final = 10_000
_replace_option = click.option(
    "--replace", is_flag=True, help="Another mailer's meter makes room; that mailer signs on again to use it."
)


def _filled(context: click.Context, parameter: click.Parameter, value: str) -> str:
    fault = fault_of_name(value, LOGIN_NAME_LIMIT) if value.strip() else "has to be a name"
    if fault is not None:
        raise click.BadParameter(f"it {fault}", context, parameter)
    return value


def _kind(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    fault = None if value is None else fault_of_name(value, ID_LIMIT)
    if fault is not None:
        raise click.BadParameter(f"it {fault}", context, parameter)
    return value


def _places(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) > ORIGINS_LIMIT:
        raise click.BadParameter(f"at most {ORIGINS_LIMIT} places, and these are {len(values)}", context, parameter)
    for value in values:
        if not is_place(value):
            raise click.BadParameter(f"'{value}' has to be {PLACE_RULE}", context, parameter)
    return values


@click.command("terms", short_help="What a data centre sells, and for what.")
@device_option
@json_option
@click.pass_obj
def terms_command(fob: Fob, device: str | None) -> None:
    """Ask the data centre which value kinds there are, what is loaded at least, and what signing up costs."""
    found = told(fob, fob.device(device), "terms")
    if fob.output.is_json:
        fob.output.data(found)
        return
    rows = [
        (kind, amount_words(kind, found["deposit"]), amount_words(kind, found["fee"])) for kind in found["value_kinds"]
    ]
    fob.output.table(("VALUE KIND", "LEAST LOAD", "SIGN-UP"), rows)


@click.command("sign-up", short_help="Have a meter of your own made.")
@click.argument("name", callback=_filled)
@click.option(
    "--kind", metavar="KIND", callback=_kind, help="What it counts, as eur-cent; not needed where there is one kind."
)
@click.option("--payment", type=click.Choice(_PAYMENTS), default="prepaid", show_default=True, help="When you pay.")
@click.option(
    "--origin", "origins", metavar="POSTCODE", multiple=True, required=True, callback=_places,
    help="Where you post; the first one counts where a piece names none. May be repeated.",
)  # fmt: skip
@click.option("--refill-below", metavar="AMOUNT", help="Load by itself when less than so much is left ...")
@click.option("--refill-amount", metavar="AMOUNT", help="... so much.")
@_replace_option
@device_option
@pin_option
@json_option
@click.pass_obj
def sign_up_command(
    fob: Fob,
    name: str,
    kind: str | None,
    payment: str,
    origins: tuple[str, ...],
    refill_below: str | None,
    refill_amount: str | None,
    replace: bool,
    device: str | None,
    pin_file: str | None,
) -> None:
    """Sign up as NAME. The password is typed on the device, twice, and no computer sees it."""
    if (refill_below is None) != (refill_amount is None):
        raise click.UsageError("--refill-below and --refill-amount stand together")
    chosen = fob.device(device)
    kind = kind or _only_kind(fob, chosen)
    refill = {
        field: typed_amount({"value_kind": kind}, typed)
        for field, typed in (("refill_below", refill_below), ("refill_amount", refill_amount))
        if typed is not None
    }
    fob.output.say(f"Type a password for '{name}' on the device, twice ...")
    wanted: dict[str, Json] = {"name": name, "value_kind": kind, "payment": payment, "origins": list(origins), **refill}
    wanted["replace"] = replace
    _joined(fob, chosen, post(fob, chosen, pin_file, "sign-up", **wanted))


@click.command("sign-on", short_help="Use your meter from this device.")
@click.argument("name", callback=_filled)
@_replace_option
@device_option
@pin_option
@json_option
@click.pass_obj
def sign_on_command(fob: Fob, name: str, replace: bool, device: str | None, pin_file: str | None) -> None:
    """Sign on as NAME: the device before this one is over. The password is typed on the device."""
    chosen = fob.device(device)
    fob.output.say(f"Type the password of '{name}' on the device ...")
    _joined(fob, chosen, post(fob, chosen, pin_file, "sign-on", name=name, replace=replace))


@click.command("status", short_help="What is left, and what was used.")
@click.option("--ask", is_flag=True, help="Ask the data centre too; the device has to be unlocked.")
@click.option("--checkpoint", metavar="FILE", help="With --ask: keep the newest checkpoint of the log there.")
@device_option
@pin_option
@json_option
@click.pass_obj
def status_command(fob: Fob, ask: bool, checkpoint: str | None, device: str | None, pin_file: str | None) -> None:
    """Show the meter's registers as the device knows them, and the batches of this computer.

    With --ask also what the data centre says now: limits, the rule for loads by itself, places, the log. Who keeps
    checkpoints finds out later, by fob-log-verify, whether something before them was changed.
    """
    if checkpoint is not None and not ask:
        raise click.UsageError("--checkpoint is for --ask")
    chosen = fob.device(device)
    meter_of(fob, chosen)
    found = post(fob, chosen, pin_file, "about") if ask else told(fob, chosen)
    jobs = told(fob, chosen, "jobs")["jobs"]
    if checkpoint is not None:
        _keep(Path(checkpoint), bytes.fromhex(found["about"]["checkpoint"]))
    if fob.output.is_json:
        fob.output.data({**found, "jobs": jobs})
        return
    meter = found["meter"]
    fob.output.fields({**fields_of(meter), **(_about(meter, found["about"]) if ask else {})})
    rows = [
        (
            job["number"], job["serial"] or "-", moment(job["began"]), job["total"], job["done"],
            money(job if job["value_kind"] else meter, job["amount"]), batch_state(job),
        )
        for job in jobs
    ]  # fmt: skip
    if rows:
        fob.output.line()
    fob.output.table(("BATCH", "METER", "BEGAN", "PIECES", "FRANKED", "FOR", "STATE"), rows)
    _say_what_waits(fob, meter, jobs)


@click.command("history", short_help="What the meter did, signed by the data centre.")
@click.option("--after", type=click.IntRange(0, MAX_SEQUENCE), metavar="COUNTER", help="Only above this counter.")
@click.option("-n", "count", type=click.IntRange(1, _MOST), default=_SHOWN, show_default=True, help="At most so many.")
@device_option
@pin_option
@json_option
@click.pass_obj
def history_command(fob: Fob, after: int | None, count: int, device: str | None, pin_file: str | None) -> None:
    """Show the meter's transactions, the newest ones or those above a counter; the device has checked them.

    What the data centre lost, and was restored without, is named.
    """
    chosen = fob.device(device)
    meter = meter_of(fob, chosen)
    if after is None:
        # What the data centre did by itself since the device looked is newer than all that the device knows.
        first = max(meter["counter"] - count, 0)
        found = _history(fob, chosen, pin_file, first, count + _MOST, meter["counter"])[-count:]
    else:
        found = _history(fob, chosen, pin_file, after, count, meter["counter"])
    _say_what_is_missing(fob, [one["counter"] for one in found])
    if fob.output.is_json:
        fob.output.data({"device": chosen["name"], "transactions": found})
        return
    rows = [
        (
            one["counter"], moment(one["time"]), one["deed"], _paid(meter, one), one["labels"] or "",
            money(meter, one["descending"]),
        )
        for one in found
    ]  # fmt: skip
    fob.output.table(("COUNTER", "TIME", "DEED", "AMOUNT", "LABELS", "LEFT"), rows)


def _paid(meter: Report, transaction: Report) -> str:
    amount = money(meter, transaction["amount"])
    return f"{amount} + {money(meter, transaction['fee'])} for signing up" if transaction["fee"] else amount


def _only_kind(fob: Fob, device: Report) -> str:
    kinds: list[str] = told(fob, device, "terms")["value_kinds"]
    if len(kinds) == 1:
        return kinds[0]
    why = f"the data centre has {', '.join(kinds)}" if kinds else "the data centre has none"
    raise ControlError("which value kind?", why, "the same command with --kind KIND", ExitCode.USAGE)


def _joined(fob: Fob, device: Report, answer: Report) -> None:
    fob.output.changed(f"the device has meter {answer['serial']}", "fob meter status")
    if fob.output.is_json:
        fob.output.data(answer)
        return
    fob.output.say(f"The meter is {answer['serial']}.")
    if answer["unsettled"]:
        what = "nobody knows whether the last order was done; it is not given again"
        fob.output.say(f"{what}.    to see: fob meter history")
    # The device has looked at once, and says what it found wrong before anybody means to frank.
    fault = told(fob, device)["meter"]["fault"]
    if not fault:
        fob.output.say("try:   fob meter status --ask")
        return
    words, deed = FAULTS.get(fault, (fault, "fob meter status"))
    fob.output.say(f"Nothing is franked before you sign on once more: {words} ({fault}).")
    fob.output.say(f"try:   {deed}")


def _keep(path: Path, checkpoint: bytes) -> None:
    """Raises ControlError."""
    if not checkpoint:
        raise ControlError("no checkpoint was kept", "the log has none yet", "the same command later")
    # The one there shows what was done up to it; that the log goes on from it nobody proves here.
    if path.exists():
        again = "the same command with another --checkpoint, such as checkpoint-$(date +%s)"
        raise ControlError("no checkpoint was kept", f"{path} is there already", again)
    try:
        write_file(path, checkpoint)
    except OSError as error:
        why = f"{path}: {error.strerror or error}"
        raise ControlError("no checkpoint was kept", why, "the same command with another --checkpoint") from None


def _about(meter: Report, about: Report) -> dict[str, object]:
    refill = "never by itself"
    if about["refill_below"]:
        refill = f"{money(meter, about['refill_amount'])} below {money(meter, about['refill_below'])}"
    # Of the data centre, which counts in UTC; 0 where nothing was ever franked.
    spent = f"; {money(meter, about['spent'])} on {day(about['day'])}" if about["day"] else ""
    return {
        "for a piece": f"at most {money(meter, about['most_for_a_piece'])}",
        "for a day": f"at most {money(meter, about['most_for_a_day'])}{spent}",
        "credit": money(meter, about["credit"]),
        "refill": refill,
        "origins": ", ".join(about["origins"]),
        "log": f"{about['log_size']:,} entries",
    }


def _say_what_is_missing(fob: Fob, counters: Sequence[int]) -> None:
    """Each gap between those that there are."""
    for before, behind in pairwise(counters):
        if behind > before + 1:
            missing = str(before + 1) if behind == before + 2 else f"{before + 1} to {behind - 1}"
            fob.output.say(f"The data centre does not have {missing} any more.    to ask: who runs the data centre")


def _say_what_waits(fob: Fob, meter: Report, jobs: list[Report]) -> None:
    waiting = sum(
        job["total"] - job["done"] for job in jobs if not job["is_closed"] and (job["done"] or job["total"] > 1)
    )
    if waiting:
        fob.output.say(f"{some(waiting, 'of a batch waits', 'of a batch wait')}.    to go on: {RESUME}")
    elif meter["order"]:
        fob.output.say("The device keeps the result of an order.    to have it here: fob meter take-over")


def _history(fob: Fob, device: Report, pin_file: str | None, after: int, count: int, known: int) -> list[Report]:
    """`known`: the newest counter that the device was told."""
    found: list[Report] = []
    while len(found) < count:
        page = post(fob, device, pin_file, "history", after=after)["transactions"]
        found += page
        # One that is short is not the end: large transactions fill an answer by themselves.
        if not page or (len(page) < HISTORY_LIMIT and page[-1]["counter"] == known):
            break
        after = page[-1]["counter"]
    return found[:count]

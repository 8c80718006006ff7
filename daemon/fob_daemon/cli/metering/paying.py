"""`fob meter refill`, `refund` and `take-over`."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from fob_daemon.cli.completing import complete_counter
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.metering.asking import meter_of, post, typed_amount
from fob_daemon.cli.metering.words import HISTORY, Report, ended_words, left, money
from fob_daemon.cli.pins import pin_option
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.limits import MAX_SEQUENCE


@click.command("refill", short_help="Load money onto the meter.")
@click.argument("amount")
@device_option
@pin_option
@json_option
@click.pass_obj
def refill_command(fob: Fob, amount: str, device: str | None, pin_file: str | None) -> None:
    """Load AMOUNT, as 20 or 19.95 of the meter's unit, or 1995 cent. Who pays afterwards owes it.

    One that was cut goes on with the same command, and is loaded once.
    """
    chosen = fob.device(device)
    wanted = typed_amount(meter := meter_of(fob, chosen), amount)
    fob.output.say(f"Loading {money(meter, wanted)} ...")
    with _cut("the money was not heard to be loaded"):
        _paid(fob, post(fob, chosen, pin_file, "loads", amount=wanted), "Loaded", "loaded")


@click.command("refund", short_help="Have money paid back, or give back an indicium.")
@click.argument("amount", required=False)
@click.option(
    "--counter", type=click.IntRange(1, MAX_SEQUENCE), shell_complete=complete_counter,
    help="Instead of AMOUNT: an indicium that was not used, of the transaction with this number.",
)  # fmt: skip
@click.option(
    "--piece", type=click.IntRange(1, 256), default=1, show_default=True, help="Which one of that transaction."
)
@device_option
@pin_option
@json_option
@click.pass_obj
def refund_command(
    fob: Fob, amount: str | None, counter: int | None, piece: int, device: str | None, pin_file: str | None
) -> None:
    """Have AMOUNT of what is left paid back; or give back an indicium that was not used: it is void from then on."""
    if (amount is None) == (counter is None):
        raise click.UsageError("say AMOUNT, or --counter")
    chosen = fob.device(device)
    meter = meter_of(fob, chosen)
    if amount is not None:
        body = {"amount": typed_amount(meter, amount)}
    else:
        body = {"counter": counter or 0, "piece": piece - 1}
    with _cut("the money was not heard to be given back"):
        said = ("Paid back", "paid back") if amount is not None else ("Credited", "given back, and its label void")
        _paid(fob, post(fob, chosen, pin_file, "refunds", **body), *said)


@click.command("take-over", short_help="Have the result that the device keeps for another computer.")
@device_option
@pin_option
@json_option
@click.pass_obj
def take_over_command(fob: Fob, device: str | None, pin_file: str | None) -> None:
    """Take over what was ordered by another computer, or by this one in a command that was cut.

    The device serves nobody else before it was taken. The computer that ordered it hears that it is over.
    """
    chosen = fob.device(device)
    taken = post(fob, chosen, pin_file, "take-over")
    fob.output.changed(f"the result of the order is taken over (counter {taken['counter']})", HISTORY)
    if fob.output.is_json:
        fob.output.data(taken)
        return
    meter, words = taken["meter"], ended_words(taken)
    whose = "" if taken["is_own"] else ", by another computer"
    is_other = taken["serial"] not in ("", meter["serial"])
    # What is left is the device's meter's, and the order was one of before.
    rest = f", of meter {taken['serial']}" if is_other else f"; {left(meter)}"
    fob.output.say(f"Taken over: {words}{whose}{rest}." if words else f"Nobody knows whether it was done{rest}.")
    if is_other:
        fob.output.say(f"The device has meter {meter['serial']} of {meter['name']}.")
    if taken["pieces"]:
        of_meter = f" --meter {taken['serial']}" if is_other else ""
        fob.output.say(f"try:   fob meter print --counter {taken['counter']}{of_meter} --output FOLDER")


@contextmanager
def _cut(what: str) -> Iterator[None]:
    """Whoever breaks off while the data centre is asked does not know what became of it."""
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        why = "by Ctrl-C; where somebody had said yes to it, it may be done, and is not done twice"
        raise ControlError(what, why, "the same command", ExitCode.INTERRUPTED) from None


def _paid(fob: Fob, answer: Report, deed: str, done: str) -> None:
    meter = answer["meter"]
    fob.output.changed(f"{money(meter, answer['amount'])} are {done}", HISTORY)
    if fob.output.is_json:
        fob.output.data(answer)
        return
    before = " (it was begun before)" if answer["is_resumed"] else ""
    fob.output.say(f"{deed} {money(meter, answer['amount'])}{before}; {left(meter)}.")

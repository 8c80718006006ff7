"""`fob meter frank`: one letter or a batch, paid once however often it is cut."""

from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, Final

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.metering.asking import meter_of, tell_ended
from fob_daemon.cli.metering.batch import (
    CLASS,
    CLASS_OF_OTHERS,
    HELP,
    ZONE,
    Batch,
    ColumnError,
    Rules,
    piece_of,
    read_batch,
)
from fob_daemon.cli.metering.drawing import (
    DRAW_LAST,
    PRINT_LAST,
    Drawer,
    drawing_options,
    telling_when_cut,
    wanted,
)
from fob_daemon.cli.metering.following import Following
from fob_daemon.cli.metering.labels import labels_of, transactions_of
from fob_daemon.cli.metering.shown import show_labels
from fob_daemon.cli.metering.words import HISTORY, Report, kind_of, left, letters, money, some
from fob_daemon.cli.metering.writing import How, begun
from fob_daemon.cli.pins import pin_option, with_pin
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.metering.limits import RATE_COMMAND

# In place of a batch's number: the one that was cut.
_CUT: Final = 0


@click.command("frank", short_help="Pay a letter or a batch, and draw the labels.")
@click.option("--to", metavar="POSTCODE", help="Where it goes.")
@click.option("--address", metavar="TEXT", help="Of whom it is for, as it stands on the piece.")
@click.option("--weight", metavar="GRAMS", help="The device computes the postage from it.")
@click.option("--amount", metavar="AMOUNT", help="Instead of a weight, where nothing is weighed.")
@click.option(
    "--class",
    "mail_class",
    metavar="NAME",
    help=f"Of the rates; '{CLASS}' where nothing is said, '{CLASS_OF_OTHERS}' for an amount that is no money.",
)
@click.option("--zone", metavar="NAME", default=ZONE, show_default=True, help="Of the rates.")
@click.option("--origin", metavar="POSTCODE", help="Where it is posted; your first one where nothing is said.")
@click.option(
    "--batch", metavar="FILE", help="A CSV file with columns to, address, weight, class, zone, origin, amount."
)
@click.option(
    "--rates", metavar="COMMAND", default=RATE_COMMAND, show_default=True, help="Of the component that rates."
)
@click.option("--cleanse", is_flag=True, help="Have a component of the device write the addresses out first.")
@click.option("--resume", is_flag=True, help="Go on with the batch that was cut.")
@click.option("--give-up", is_flag=True, help="Forget what is not franked of the batch that was cut.")
@drawing_options
@device_option
@pin_option
@json_option
@click.pass_obj
def frank_command(
    fob: Fob,
    /,
    to: str | None,
    address: str | None,
    weight: str | None,
    amount: str | None,
    mail_class: str | None,
    zone: str,
    origin: str | None,
    batch: str | None,
    rates: str,
    cleanse: bool,
    resume: bool,
    give_up: bool,
    device: str | None,
    pin_file: str | None,
    **drawing: Any,
) -> None:
    """Frank a letter (--to, --address, --weight) or a batch (--batch), at most 10,000 pieces.

    The device computes the postage and shows it; its person says yes for each 64 pieces. Whatever cuts a batch, Ctrl-C,
    a power cut, an office that is away, `fob meter frank --resume` goes on with it and pays nothing twice. What is paid
    is kept: `fob meter print LAST` draws it again.
    """
    row = {"to": to, "address": address, "weight": weight, "amount": amount, "origin": origin}
    _check_one_of(resume=resume, give_up=give_up, batch=batch is not None, piece=any(row.values()))
    if cleanse and (resume or give_up):
        raise click.UsageError("--cleanse is for pieces that begin; those of a batch that was cut are as they were")
    asked = wanted(**drawing)
    chosen = fob.device(device)
    if give_up:
        _give_up(fob, chosen, pin_file)
        return
    # Asked for once, where there is an amount: each row that has one would cost a round trip.
    rules = Rules(mail_class, zone, cache(lambda: kind_of(meter_of(fob, chosen))))
    wished = Batch() if resume else _wished(batch, row, rules)
    drawer = Drawer(fob, chosen, asked)
    how = How(rates.upper(), cleanse)
    number = _CUT if resume else begun(fob, chosen, pin_file, how, wished.pieces)
    following = Following(fob, chosen, wished)
    try:
        finished = following.franked(number, pin_file)
    except ControlError as error:
        if error.exit_code is not ExitCode.INTERRUPTED:
            _draw_paid(fob, chosen, drawer, following)
        raise
    _draw_and_tell(fob, chosen, drawer, finished, {"addresses": how.addresses} if cleanse else {})


def _check_one_of(**given: bool) -> None:
    """Raises click.UsageError."""
    if sum(given.values()) != 1:
        raise click.UsageError("say --to, --address and --weight, or --batch, or --resume, or --give-up")


def _wished(file: str | None, row: dict[str, str | None], rules: Rules) -> Batch:
    """The pieces of a file, or one of the options. Raises ControlError."""
    if file is not None:
        return read_batch(Path(file), rules)
    return Batch([_piece({name: value for name, value in row.items() if value}, rules)])


def _piece(row: dict[str, str], rules: Rules) -> dict[str, Any]:
    try:
        return piece_of(row, rules)
    except ColumnError as error:
        raise ControlError("nothing was franked", f"--{error.column}: {error}", HELP, ExitCode.USAGE) from None


def _give_up(fob: Fob, device: Report, pin_file: str | None) -> None:
    path = ("devices", device["name"], "meter", "jobs")
    with asks_shown(fob, device["name"]):
        answer: Report = with_pin(fob, device, pin_file, lambda pin: fob.client.delete(*path, body={**pin}))
    fob.output.changed("what was not franked of the batch is forgotten", "fob meter status")
    if fob.output.is_json:
        fob.output.data(answer)
        return
    waiting = answer["total"] - answer["done"]
    kept = some(answer["done"], "is franked and kept", "are franked and kept")
    fob.output.say(f"{some(waiting, 'is forgotten', 'are forgotten')}; {kept}.")


def _draw_and_tell(fob: Fob, device: Report, drawer: Drawer, finished: Report, more: dict[str, Any]) -> None:
    """What was franked to its end; `more` is for programs."""
    tell_ended(fob, finished)
    number, meter, done = finished["number"], finished["meter"], finished["done"]
    shown_by = f"fob meter print {number} --output FOLDER, --pdf FILE or --pages FOLDER; {HISTORY}"
    fob.output.changed(some(done, "is paid and kept", "are paid and kept"), shown_by)
    with _kept_when_cut(done):
        if not fob.output.is_json:
            fob.output.say(f"Franked {letters(done)} for {money(meter, finished['amount'])}; {left(meter)}.")
        labels = labels_of(fob, device, transactions_of(fob, device, number))
        files = drawer.draw(labels)
    show_labels(fob, device, labels, files, {"job": number, "meter": meter, **more})


def _draw_paid(fob: Fob, device: Report, drawer: Drawer, following: Following) -> None:
    """What is paid of a batch that was cut is there to be used; why it was cut is said after that."""
    done = following.done
    if not done or not drawer.draws:
        return
    try:
        with _kept_when_cut(done):
            drawer.draw(labels_of(fob, device, transactions_of(fob, device, following.job)))
    except ControlError as error:
        fob.output.say(f"{error.what}: {error.why}.    to draw what is paid: {PRINT_LAST}")
    else:
        fob.output.say(f"{some(done, 'is paid and drawn', 'are paid and drawn')}.")


def _kept_when_cut(count: int) -> AbstractContextManager[None]:
    return telling_when_cut(some(count, "is paid", "are paid"), DRAW_LAST)

"""`fob meter frank`: one letter or a batch, paid once however often it is cut."""

import json
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

import click

from fob_daemon.cli.asks import asks_shown
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.metering.asking import meter_of, post, tell_ended
from fob_daemon.cli.metering.batch import CLASS, HELP, ZONE, Batch, ColumnError, Rules, piece_of, read_batch
from fob_daemon.cli.metering.labels import (
    PRINT_LAST,
    Drawer,
    drawing_options,
    labels_of,
    telling_when_cut,
    transactions_of,
    wanted,
)
from fob_daemon.cli.metering.shown import show_labels
from fob_daemon.cli.metering.words import HISTORY, Report, kind_of, letters, money, some
from fob_daemon.cli.office_bar import OfficeBar
from fob_daemon.cli.pins import pin_option, with_pin
from fob_daemon.cli.progress import Progress
from fob_daemon.control.errors import BUSY_STATUS, ControlError, ExitCode
from fob_daemon.control.json_form import Json
from fob_daemon.control.meter_requests import PIECES_LIMIT
from fob_daemon.control.sse import ServerEvent
from fob_daemon.metering.limits import RATE_COMMAND, RESUME

# Octets of one body: less than the daemon takes (MAX_BODY).
_BODY: Final = 24_000
# Addresses that are told to people.
_SHOWN: Final = 20
# Seconds for which a command waits until another one's batch is being franked, and between two looks.
_TURN_TIME: Final = 600.0
_TURN_PAUSE: Final = 0.5
# In place of a batch's number: the one that was cut.
_CUT: Final = 0
_DRAW_LAST: Final = f"{PRINT_LAST} --output FOLDER, --pdf FILE or --pages FOLDER"

Pieces = list[dict[str, Any]]


@click.command("frank", short_help="Pay a letter or a batch, and draw the labels.")
@click.option("--to", metavar="POSTCODE", help="Where it goes.")
@click.option("--address", metavar="TEXT", help="Of whom it is for, as it stands on the piece.")
@click.option("--weight", metavar="GRAMS", help="The device computes the postage from it.")
@click.option("--amount", metavar="AMOUNT", help="Instead of a weight, where nothing is weighed.")
@click.option("--class", "mail_class", metavar="NAME", default=CLASS, show_default=True, help="Of the rates.")
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
    mail_class: str,
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
    wished = Batch()
    if batch is not None:
        wished = read_batch(Path(batch), rules)
    elif not resume:
        wished = Batch([_piece({name: value for name, value in row.items() if value}, rules)])
    drawer = Drawer(fob, chosen, asked)
    how = _How(rates.upper(), cleanse)
    number = _CUT if resume else _begin(fob, chosen, pin_file, how, wished.pieces)
    done = _Done()
    try:
        finished = _frank(fob, chosen, pin_file, number, wished, done)
    except ControlError as error:
        if error.exit_code is not ExitCode.INTERRUPTED:
            _draw_paid(fob, chosen, drawer, done)
        raise
    tell_ended(fob, finished)
    shown_by = f"fob meter print {finished['number']} --output FOLDER, --pdf FILE or --pages FOLDER; {HISTORY}"
    fob.output.changed(some(finished["done"], "is paid and kept", "are paid and kept"), shown_by)
    more = {"job": finished["number"], "meter": finished["meter"]}
    if cleanse:
        more["addresses"] = how.addresses
    with _kept_when_cut(finished["done"]):
        _tell(fob, finished)
        labels = labels_of(fob, chosen, transactions_of(fob, chosen, finished["number"]))
        files = drawer.draw(labels)
    show_labels(fob, chosen, labels, files, more)


def _check_one_of(**given: bool) -> None:
    """Raises click.UsageError."""
    if sum(given.values()) != 1:
        raise click.UsageError("say --to, --address and --weight, or --batch, or --resume, or --give-up")


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
    left = answer["total"] - answer["done"]
    kept = some(answer["done"], "is franked and kept", "are franked and kept")
    fob.output.say(f"{some(left, 'is forgotten', 'are forgotten')}; {kept}.")


@dataclass
class _How:
    """What a batch begins with. `addresses`: as a component wrote them, in the order of the pieces."""

    rates: str
    cleanse: bool
    addresses: list[str] = field(default_factory=list)


def _begin(fob: Fob, device: Report, pin_file: str | None, how: _How, pieces: Pieces) -> int:
    """A batch with all its pieces, of which none is paid yet. Raises ControlError."""
    number = _opened(fob, device, pin_file, how)
    jobs = ("devices", device["name"], "meter", "jobs")
    try:
        with Progress(fob.output, "Having addresses written" if how.cleanse else "Writing down", len(pieces)) as bar:
            for part in _parts(pieces):
                body: dict[str, Json] = {"pieces": list(part), "cleanse": how.cleanse}
                added = fob.client.post(*jobs, str(number), "pieces", body=body)
                how.addresses += added.get("addresses", [])
                bar.show(added["total"])
    except (ControlError, KeyboardInterrupt):
        # Half a batch is none to go on with.
        with suppress(ControlError):
            fob.client.delete(*jobs, str(number), body={})
        raise
    _tell_addresses(fob, pieces, how.addresses)
    return number


def _opened(fob: Fob, device: Report, pin_file: str | None, how: _How) -> int:
    """A batch of this command's own, once no other command writes one. Raises ControlError."""
    until = monotonic() + _TURN_TIME
    is_told = False
    while True:
        try:
            begun: Report = post(fob, device, pin_file, "jobs", command=how.rates)
        except ControlError as error:
            if error.status != BUSY_STATUS or monotonic() > until:
                raise
            if not is_told:
                fob.output.say(f"{error.why[:1].upper()}{error.why[1:]}; waiting for it ...")
            is_told = True
            sleep(_TURN_PAUSE)
            continue
        if begun["dropped"]:
            earlier = letters(begun["dropped"])
            fob.output.say(f"An earlier batch of {earlier}, of which nothing was franked, is dropped.")
        number: int = begun["job"]
        return number


def _tell_addresses(fob: Fob, pieces: Pieces, addresses: list[str]) -> None:
    """What stands on a piece has to be what its indicium is for."""
    changed = [
        (number, address)
        for number, (piece, address) in enumerate(zip(pieces, addresses, strict=False), 1)
        if piece["address"] != address
    ]
    for number, address in changed[:_SHOWN]:
        fob.output.say(f"Piece {number:,} has to say: {address}")
    if len(changed) > _SHOWN:
        fob.output.say(f"and {letters(len(changed) - _SHOWN)} more; --json has all")


def _parts(pieces: Pieces) -> Iterator[Pieces]:
    part: Pieces = []
    room = _BODY
    for piece in pieces:
        size = len(json.dumps(piece)) + 2
        if part and (size > room or len(part) == PIECES_LIMIT):
            yield part
            part, room = [], _BODY
        part.append(piece)
        room -= size
    yield part


class _Done:
    """Pieces of a batch that have their indicia."""

    def __init__(self) -> None:
        self.job = 0
        self.pieces = 0
        self.total = 0


def _frank(fob: Fob, device: Report, pin_file: str | None, number: int, batch: Batch, done: _Done) -> Report:
    """The batch, when it is done. Raises ControlError."""
    what = f"Franking {letters(len(batch.pieces))}" if batch.pieces else "Going on with the batch"
    fob.output.say(f"{what}; look at '{device['name']}' ...")
    path = ("devices", device["name"], "meter", "jobs", str(number), "franking")
    # Of a file each row is looked at before one is paid; a letter's own words say what is wrong with it.
    judge: dict[str, Json] = {"judge": True} if batch.path is not None else {}
    try:
        with OfficeBar(fob.output) as bar, asks_shown(fob, device["name"], bar.say):

            def follow(pin: dict[str, str]) -> Report:
                with fob.client.stream("POST", *path, body={**pin, **judge}) as events:
                    return _follow(events, batch, bar, done)

            finished: Report = with_pin(fob, device, pin_file, follow)
    except (KeyboardInterrupt, click.Abort):
        why = f"by Ctrl-C; {some(done.pieces, 'is franked', 'are franked')} and kept, and nothing is paid twice"
        if done.pieces and done.pieces == done.total:
            raise ControlError("the labels were not drawn", why, _DRAW_LAST, ExitCode.INTERRUPTED) from None
        raise ControlError("the batch was not franked to its end", why, RESUME, ExitCode.INTERRUPTED) from None
    return finished


def _follow(events: Iterable[ServerEvent], batch: Batch, bar: OfficeBar, done: _Done) -> Report:
    for event in events:
        data: Any = event.data
        match event.name:
            case "looked":
                bar.show(f"Looking at {letters(data['total'])}", data["done"], data["total"])
            case "franked":
                done.job, done.pieces, done.total = data["job"], data["done"], data["total"]
                bar.show(f"{data['done']:,} of {letters(data['total'])}", data["done"], data["total"])
            case "finished":
                finished: Report = data
                return finished
            case "error":
                raise _refusal(data, batch)
    raise ControlError("the batch was not franked to its end", "the daemon ended the conversation", RESUME)


def _refusal(data: Report, batch: Batch) -> ControlError:
    """Of one piece: with its line."""
    of_line = batch.refused(data["place"], data["column"], data["fault"]) if "place" in data else None
    code = ExitCode(data["exit_code"])
    return of_line or ControlError(data["what"], data["why"], data["next"], code, status=data.get("status"))


def _draw_paid(fob: Fob, device: Report, drawer: Drawer, done: _Done) -> None:
    """What is paid of a batch that was cut is there to be used; why it was cut is said after that."""
    if not done.pieces or not drawer.draws:
        return
    try:
        with _kept_when_cut(done.pieces):
            drawer.draw(labels_of(fob, device, transactions_of(fob, device, done.job)))
    except ControlError as error:
        fob.output.say(f"{error.what}: {error.why}.    to draw what is paid: {PRINT_LAST}")
    else:
        fob.output.say(f"{some(done.pieces, 'is paid and drawn', 'are paid and drawn')}.")


def _kept_when_cut(count: int) -> AbstractContextManager[None]:
    return telling_when_cut(some(count, "is paid", "are paid"), _DRAW_LAST)


def _tell(fob: Fob, finished: Report) -> None:
    meter = finished["meter"]
    if not fob.output.is_json:
        spent, left = money(meter, finished["amount"]), money(meter, meter["descending"])
        fob.output.say(f"Franked {letters(finished['done'])} for {spent}; {left} left.")

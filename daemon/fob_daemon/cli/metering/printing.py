"""`fob meter print`: what was paid is drawn, as often as it is wanted."""

from typing import Any, Final

import click

from fob_daemon.cli.completing import complete_counter
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.metering.asking import told
from fob_daemon.cli.metering.drawing import Drawer, drawing_options, telling_when_cut, wanted
from fob_daemon.cli.metering.labels import Transaction, labels_of, transactions_of, without_void
from fob_daemon.cli.metering.shown import show_labels
from fob_daemon.cli.metering.words import Report
from fob_daemon.control.errors import ControlError, ExitCode
from fob_daemon.control.limits import MAX_SEQUENCE

_LAST: Final = "LAST"
# Of a batch's number.
_DIGITS: Final = 15


def _complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    return [_LAST] if _LAST.startswith(incomplete.upper()) else []


@click.command("print", short_help="Draw labels that are paid, again.")
@click.argument("what", metavar="[LAST|BATCH]", required=False, shell_complete=_complete)
@click.option(
    "--counter",
    type=click.IntRange(1, MAX_SEQUENCE),
    shell_complete=complete_counter,
    help="The transaction with this number.",
)
@click.option("--meter", "serial", metavar="SERIAL", help="With --counter: of this meter, not of the device's own.")
@drawing_options
@device_option
@json_option
@click.pass_obj
def print_command(
    fob: Fob,
    /,
    what: str | None,
    counter: int | None,
    serial: str | None,
    device: str | None,
    **drawing: Any,
) -> None:
    """Draw the LAST batch or letter, a BATCH by its number, or the transaction --counter N, into a folder or on pages.

    What this computer does not keep any more, or never had, the device fetches from the data centre. A batch is of the
    meter that paid for it, whoever has signed on since.
    """
    if what is not None and counter is not None:
        raise click.UsageError("say LAST, BATCH, or --counter")
    if serial is not None and counter is None:
        raise click.UsageError("--meter is for --counter")
    job = _batch(what)
    asked = wanted(**drawing)
    if not asked.is_any and not fob.output.is_json:
        raise click.UsageError("say --output FOLDER, --pdf FILE or --pages FOLDER")
    chosen = fob.device(device)
    if counter is not None:
        franked: list[Transaction] = [(serial or "", counter)]
    else:
        franked = _of_batch(fob, chosen, job) if job else _last(fob, chosen)
    drawer = Drawer(fob, chosen, asked)
    with telling_when_cut("what is franked is paid", "the same command again"):
        labels = without_void(fob, labels_of(fob, chosen, franked))
        files = drawer.draw(labels)
    show_labels(fob, chosen, labels, files, {})


def _batch(what: str | None) -> int:
    """Its number; 0 for the last one. Raises click.UsageError."""
    if what is None or what.upper() == _LAST:
        return 0
    if not (what.isdecimal() and what.isascii()) or len(what) > _DIGITS or int(what) == 0:
        raise click.UsageError(f"'{what}' is neither LAST nor the number of a batch (fob meter status)")
    return int(what)


def _of_batch(fob: Fob, device: Report, job: int) -> list[Transaction]:
    """Its transactions. Raises ControlError."""
    franked = transactions_of(fob, device, job)
    if not franked:
        why = f"of a batch {job} nothing is franked, or it is not kept here any more"
        raise ControlError("nothing was printed", why, "fob meter status", ExitCode.NOTHING_TO_DO)
    return franked


def _last(fob: Fob, device: Report) -> list[Transaction]:
    """The transactions of the last batch, or the last one alone. Raises ControlError."""
    kept = told(fob, device, "franked")["franked"]
    if not kept:
        why = "this computer has franked nothing with it"
        raise ControlError("nothing was printed", why, "fob meter history", ExitCode.NOTHING_TO_DO)
    newest = kept[0]
    same = [(one["serial"], one["counter"]) for one in kept if one["job"] == newest["job"] != 0]
    return sorted(same) or [(newest["serial"], newest["counter"])]

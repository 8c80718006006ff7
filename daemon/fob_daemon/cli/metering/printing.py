"""`fob meter print`: what was paid is drawn, as often as it is wanted."""

from typing import Final

import click

from fob_daemon.cli.completing import complete_counter
from fob_daemon.cli.context import Fob, device_option, json_option
from fob_daemon.cli.metering.asking import told
from fob_daemon.cli.metering.labels import Drawer, drawing_options, labels_of, wanted
from fob_daemon.cli.metering.shown import show_labels
from fob_daemon.cli.metering.words import Report
from fob_daemon.control.errors import ControlError, ExitCode

_LAST: Final = "LAST"


@click.command("print", short_help="Draw labels that are paid, again.")
@click.argument("what", type=click.Choice((_LAST,), case_sensitive=False), required=False)
@click.option(
    "--counter", type=click.IntRange(1), shell_complete=complete_counter, help="The transaction with this number."
)
@drawing_options
@device_option
@json_option
@click.pass_obj
def print_command(
    fob: Fob,
    what: str | None,
    counter: int | None,
    output: str | None,
    kind: str,
    dpi: int,
    pdf: str | None,
    sheet: str,
    skip: int,
    device: str | None,
) -> None:
    """Draw the LAST batch or letter, or the transaction --counter N, into a folder or a PDF.

    What this computer does not keep any more, or never had, the device fetches from the data centre.
    """
    if what is not None and counter is not None:
        raise click.UsageError("say LAST, or --counter")
    drawing = wanted(output, kind, dpi, pdf, sheet, skip)
    if not drawing.is_any and not fob.output.is_json:
        raise click.UsageError("say --output FOLDER, or --pdf FILE")
    chosen = fob.device(device)
    counters = [counter] if counter is not None else _last(fob, chosen)
    drawer = Drawer(fob, chosen, drawing)
    labels = labels_of(fob, chosen, counters)
    show_labels(fob, chosen, labels, drawer.draw(labels), {})


def _last(fob: Fob, device: Report) -> list[int]:
    """The transactions of the last batch, or the last one alone. Raises ControlError."""
    kept = told(fob, device, "franked")["franked"]
    if not kept:
        why = "this computer has franked nothing with it"
        raise ControlError("nothing was printed", why, "fob meter history", ExitCode.NOTHING_TO_DO)
    newest = kept[0]
    same = [one["counter"] for one in kept if one["job"] == newest["job"] != 0]
    return sorted(same) or [newest["counter"]]
